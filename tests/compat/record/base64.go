package main

import (
	"encoding/base64"
	"strings"
)

// base64Lines encodes text as the body of a mail.
func base64Lines(text string) string {
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	var out strings.Builder
	for len(encoded) > 0 {
		n := min(76, len(encoded))
		out.WriteString(encoded[:n] + "\n")
		encoded = encoded[n:]
	}
	return out.String()
}
