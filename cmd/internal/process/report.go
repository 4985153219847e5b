package process

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Exit statuses that all mail systems understand alike (sysexits.h).
const (
	ExitDone      = 0
	ExitTemporary = 75 // EX_TEMPFAIL: try again later
)

// maxDetail is how much of an error is told, in octets.
const maxDetail = 600

// Report tells a mail system how its delivery went: it returns the exit status,
// and for an error writes one line to stderr, with a status code for the bounce
// that is sent if the mail system gives up one day (RFC 3463: 4.3.0, the system
// is at fault for now). Text from the message comes after text of ours, with
// nothing in it but printable ASCII: mail systems look for a code at the start of
// a line.
func Report(stderr io.Writer, err error) int {
	if err == nil {
		return ExitDone
	}
	if errors.Is(err, errReported) {
		return ExitTemporary
	}
	fmt.Fprintf(stderr, "4.3.0 calendar records not updated, the message has to be tried again: %s\n", plain(err.Error(), maxDetail))
	return ExitTemporary
}

// plain returns text as one line of printable ASCII, cut off after limit octets.
func plain(text string, limit int) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ") // joined errors
	var line strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&line, `\x%02x`, text[0])
		case ' ' <= r && r <= '~':
			line.WriteRune(r)
		default:
			line.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		text = text[size:]
		if line.Len() > limit && len(text) > 0 {
			return line.String() + " ..."
		}
	}
	return line.String()
}
