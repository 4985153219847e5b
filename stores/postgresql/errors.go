package postgresql

import (
	"errors"
	"io"
	"net"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"imip-agent/stores"
)

// code returns the SQLSTATE of an error of the server, and "" for any other.
func code(err error) string {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code
	}
	return ""
}

// broken reports whether the connection to the server broke.
func broken(err error) bool {
	var network net.Error
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &network) && !network.Timeout()
}

// checkText returns an error if a value cannot be in a text column.
func checkText(what, value string) error {
	switch {
	case value == "":
		return &stores.UnstorableError{What: what, Value: value, Reason: "it is empty"}
	case strings.ContainsRune(value, 0):
		return &stores.UnstorableError{What: what, Value: value, Reason: "it contains a NUL"}
	case !utf8.ValidString(value):
		return &stores.UnstorableError{What: what, Value: value, Reason: "it is not UTF-8"}
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return &stores.UnstorableError{What: what, Value: value, Reason: "it contains control characters"}
	}
	return nil
}

// checkObject returns an error if a text cannot be in the database.
func checkObject(text []byte) error {
	if !utf8.Valid(text) || strings.ContainsRune(string(text), 0) {
		return &stores.UnstorableError{What: "object", Value: string(text[:min(len(text), 40)]), Reason: "it is not UTF-8 text"}
	}
	return nil
}
