package postgresql

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
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

// explained says what is to be done about an error, where the server's own words do not.
func explained(err error) error {
	switch code(err) {
	case "3D000": // invalid_catalog_name
		return stores.NoStore(err)
	case "42P01": // undefined_table
		return stores.NoStore(fmt.Errorf("tables of the store are missing in the database, create them with \"imip-agent migrate schema postgresql:CONNINFO\": %w", err))
	case "42703": // undefined_column
		return fmt.Errorf("tables of the store are missing in the database, create them with \"imip-agent migrate schema postgresql:CONNINFO\": %w", err)
	case "42501": // insufficient_privilege
		return fmt.Errorf("the role of the connection string has no permission, grant it the tables or use their owner: %w", err)
	case "22P05": // untranslatable_character
		return fmt.Errorf("the database's encoding lacks characters, move to one with ENCODING 'UTF8': %w", err)
	}
	return err
}

// errBroken says that the connection to the server broke in the middle of a transaction.
var errBroken = errors.New("the connection to the database broke")

// broken reports whether the connection to the server broke.
func broken(err error) bool {
	var network net.Error
	if errors.As(err, &network) && !network.Timeout() {
		// The error of a file, as of what is published, is a net.Error as well.
		if _, bare := network.(syscall.Errno); !bare {
			return true
		}
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}

// checkObject returns an error if a text cannot be in the database.
func checkObject(text []byte) error {
	if !utf8.Valid(text) || strings.ContainsRune(string(text), 0) {
		return &stores.UnstorableError{What: "object", Value: string(text[:min(len(text), 40)]), Reason: "it is not UTF-8 text"}
	}
	return nil
}
