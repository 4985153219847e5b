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

// checkObject returns an error if a text cannot be in the database.
func checkObject(text []byte) error {
	if !utf8.Valid(text) || strings.ContainsRune(string(text), 0) {
		return &stores.UnstorableError{What: "object", Value: string(text[:min(len(text), 40)]), Reason: "it is not UTF-8 text"}
	}
	return nil
}
