package process

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"imip-agent/stores/calendar/printable"
)

// maxDetail is how much of an error is reported, in octets.
const maxDetail = 600

// Report tells a mail system how its delivery went: it returns the exit status,
// and for an error writes one line to stderr, with a status code for the bounce
// that is sent if the mail system gives up one day (RFC 3463: 4.3.0, the system
// is at fault for now). Text from the message comes after text of ours, with
// nothing in it but printable ASCII: mail systems look for a code at the start of
// a line.
func Report(stderr io.Writer, err error) ExitCode {
	if err == nil {
		return ExitDone
	}
	if errors.Is(err, errReported) {
		return ExitTemporary
	}
	fmt.Fprintf(stderr, "%s%s\n", reportBegin, plain(err.Error(), maxDetail))
	return ExitTemporary
}

const reportBegin = "4.3.0 calendar records not updated, the message must be tried again: "

// plain returns text as one line of printable ASCII, cut off after limit octets.
func plain(text string, limit int) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ") // joined errors
	var line strings.Builder
	for len(text) > 0 {
		_, size := utf8.DecodeRuneInString(text)
		line.WriteString(printable.ASCII(text[:size]))
		text = text[size:]
		if line.Len() > limit && len(text) > 0 {
			return line.String() + " ..."
		}
	}
	return line.String()
}
