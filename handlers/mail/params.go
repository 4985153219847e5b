package mail

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/emersion/go-message"
)

// contentType is a Content-Type field (RFC 2045 section 5).
type contentType struct {
	media                     string // lower case; "" if there is none that can be read
	method, charset, boundary string
}

// parseContentType reads the value of a Content-Type field. What go-message
// refuses is read again with as few demands as possible.
//
// DEVIATION: broken-media-types. The original finds no media type or no method in
// most of that.
func parseContentType(field []byte) contentType {
	value := strings.TrimSpace(strings.ReplaceAll(string(field), "\x00", ""))
	if value == "" {
		return contentType{}
	}
	var h message.Header
	h.Set("Content-Type", value)
	media, params, err := h.ContentType()
	// An extended parameter that cannot be decoded is left out without an error.
	dropped := params["method"] == "" && calendarTypes[media] && strings.Contains(value, "*")
	if err != nil || dropped {
		media, params = looseContentType(value)
	}
	if strings.Count(media, "/") != 1 {
		return contentType{}
	}
	return contentType{
		media:    media,
		method:   strings.TrimSpace(params["method"]),
		charset:  strings.TrimSpace(params["charset"]),
		boundary: strings.TrimRight(params["boundary"], " \t"), // RFC 2046 section 5.1.1: it cannot end so
	}
}

// looseContentType finds the media type and the parameters in text that is not
// well formed: odd or missing separators and quotes, white space around "=",
// comments, unquoted values with characters that need quotes. The first of
// several parameters of one name counts.
func looseContentType(text string) (media string, params map[string]string) {
	text = strings.TrimLeft(text, " \t;\"")
	end := strings.IndexAny(text, " \t;,(\"")
	if end < 0 {
		end = len(text)
	}
	media, text = strings.ToLower(text[:end]), text[end:]

	params = make(map[string]string)
	for {
		text = strings.TrimLeft(text, " \t;,\"")
		if text == "" {
			break
		}
		if text[0] == '(' { // a comment (RFC 5322 section 3.2.2)
			_, after, _ := strings.Cut(text, ")")
			text = after
			continue
		}
		end := strings.IndexAny(text, "=; \t,")
		if end < 0 {
			break
		}
		name := strings.ToLower(text[:end])
		text = strings.TrimLeft(text[end:], " \t")
		if !strings.HasPrefix(text, "=") {
			continue // a word without a value
		}
		var value string
		value, text = looseValue(strings.TrimLeft(text[1:], " \t"))
		if _, known := params[name]; !known && value != "" {
			params[name] = value
		}
	}
	joinExtended(params)
	return media, params
}

// looseValue takes a parameter's value from the start of text.
func looseValue(text string) (value, rest string) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, "; \t")
		if end < 0 {
			end = len(text)
		}
		return strings.TrimRight(text[:end], `",`), text[end:]
	}
	text = text[1:]
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return b.String(), text[i+1:]
		case text[i] == '\\' && i+1 < len(text):
			i++
		}
		b.WriteByte(text[i])
	}
	// The closing quote is missing: the value ends with the parameter.
	end := strings.IndexByte(text, ';')
	if end < 0 {
		end = len(text)
	}
	return strings.TrimSpace(text[:end]), text[end:]
}

// joinExtended adds the parameters that are given in pieces or percent-encoded
// under their plain names (RFC 2231 sections 3 and 4), where the plain name is missing.
func joinExtended(params map[string]string) {
	for _, name := range []string{"method", "charset", "boundary"} {
		if params[name] != "" {
			continue
		}
		value, ok := params[name+"*"]
		if ok {
			value = percentDecoded(value, true)
		}
		for i := 0; !ok || i > 0; i++ {
			key := name + "*" + strconv.Itoa(i)
			if piece, plain := params[key]; plain {
				value += piece
			} else if piece, encoded := params[key+"*"]; encoded {
				value += percentDecoded(piece, i == 0)
			} else {
				break
			}
			ok = true
		}
		if value != "" {
			params[name] = value
		}
	}
}

// percentDecoded decodes an extended value. Charset and language stand before the
// first one; the values wanted here are ASCII.
func percentDecoded(value string, first bool) string {
	if parts := strings.SplitN(value, "'", 3); first && len(parts) == 3 {
		value = parts[2]
	}
	if decoded, err := url.PathUnescape(value); err == nil {
		return decoded
	}
	return value
}
