package check

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// isAbsent reports whether an error says that there is no such file.
func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// plural returns "1 record", "2 records".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// clock returns an instant as people read it.
func clock(seconds int64) string {
	return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04") + " UTC"
}

// Quote puts a word for a shell into quotes, if it needs any.
func Quote(word string) string {
	safe := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("@%_-+=:,./", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
