package calendar

import "testing"

func TestIs(t *testing.T) {
	for _, c := range []struct {
		a, b   URI
		is     bool
		reason string
	}{
		{"mailto:bob@example.com", "mailto:bob@example.com", true, "letter by letter"},
		{"mailto:bob@example.com", "mailto:bob@EXAMPLE.COM", true, "domains have no case (RFC 5321 section 2.4)"},
		{"mailto:bob@example.com", "mailto:Bob@example.com", true, "nor have local parts in practice"},
		{"mailto:bjørn@bücher.example", "mailto:BJØRN@BÜCHER.example", true, "letters beyond ASCII have one as well"},
		{"https://example.com/Bob", "HTTPS://example.com/bob", true, "other schemes"},
		{"mailto:bob@example.com", "mailto:rob@example.com", false, "another letter"},
		{"mailto:bob@example.com", "mailto:bob@example.co", false, "the beginning of it"},
		{"mailto:k@example.com", "mailto:\u212a@example.com", false, "a Kelvin sign is another character"},
		{"mailto:is@example.com", "mailto:\u0130s@example.com", false, "and so is an I with a dot"},
		{"", "", true, "nobody"},
		{"", "mailto:bob@example.com", false, "nobody is nobody else"},
	} {
		if c.a.Is(c.b) != c.is || c.b.Is(c.a) != c.is {
			t.Errorf("%s: %s and %s: %v, want %v", c.reason, c.a, c.b, !c.is, c.is)
		}
		if (c.a.Folded() == c.b.Folded()) != c.is {
			t.Errorf("%s: folded %s and %s", c.reason, c.a.Folded(), c.b.Folded())
		}
	}
}

func TestFind(t *testing.T) {
	names := []URI{"mailto:BOB@example.com", "mailto:Bob@example.com", "mailto:ann@example.com"}
	for uri, want := range map[URI]URI{
		"mailto:Bob@example.com": "mailto:Bob@example.com",
		"mailto:bob@example.com": "mailto:BOB@example.com",
		"mailto:ANN@example.com": "mailto:ann@example.com",
		"mailto:eve@example.com": "",
	} {
		if got := Find(names, uri); got != want {
			t.Errorf("%s is found as %q, want %q", uri, got, want)
		}
	}
}
