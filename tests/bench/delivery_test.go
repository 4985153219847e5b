package bench

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"imip-agent/tests/compat"
	"imip-agent/tests/mailbox"
)

// The messages of these benchmarks arrive for Vincent.
const vincent = "mailto:vincent.vole@example.com"

// BenchmarkDelivery gives a message that arrives to the built program and to the original, in turns, each with a
// store and a mailbox server of its own. It reports what BenchmarkMessage does.
func BenchmarkDelivery(b *testing.B) {
	for _, c := range []struct {
		name    string
		records int
		compose func(string, int, string) []byte
	}{
		{"mail", 10, letter},
		{"store=small", 10, request},
		{"records=10000", 10_000, request},
	} {
		b.Run(c.name, func(b *testing.B) {
			ours, original := deliverers(b, c.records, c.compose)
			for i := range 2 { // the first run of each reads the programs from disk
				ours.handle(b, i, "")
				original.handle(b, i, "")
			}
			ours.reset()
			original.reset()
			i := 2
			for b.Loop() {
				ours.handle(b, i, "")
				original.handle(b, i, "")
				i++
			}
			ours.peak(b, i, "")
			original.peak(b, i, "")
			report(b, ours, original)
		})
	}
}

// BenchmarkDeliveriesAtOnce gives 100 invitations for one user at once to the built program, and then to the
// original. The rounds take a minute, so give it -benchtime 1x.
func BenchmarkDeliveriesAtOnce(b *testing.B) {
	const messages = 100
	ours, original := deliverers(b, 10, request)
	for b.Loop() {
		for _, c := range []*contender{ours, original} {
			if c == nil {
				continue
			}
			began := time.Now()
			var wg sync.WaitGroup
			for i := range messages {
				wg.Go(func() { c.run(b, fmt.Sprintf("at-once-%d", i), i, "") })
			}
			wg.Wait()
			c.wall = append(c.wall, time.Since(began))
		}
	}
	report(b, ours, original)
}

// letter is a mail without calendar data.
func letter(uid string, i int, _ string) []byte {
	return fmt.Appendf(nil, "From: paul.boddie@example.com\r\nTo: vincent.vole@example.com\r\nMessage-ID: <%s-%d@example.com>\r\nSubject: hello\r\n\r\n%s",
		uid, i, strings.Repeat("Some words of a letter.\r\n", 100))
}

// deliverers returns our handler of messages that arrive and the original's, with mailbox servers, and with so many
// records of Vincent's and of what he knows of Paul.
func deliverers(b *testing.B, records int, compose func(string, int, string) []byte) (ours, original *contender) {
	b.Helper()
	content := table(records)
	ours, original = contend(b, "imip_person", compat.Tree{
		"store/" + vincent + "/freebusy": content, "store/" + vincent + "/freebusy-other/" + paul: content,
	}, compose)
	for _, c := range []*contender{ours, original} {
		if c == nil {
			continue
		}
		box, err := mailbox.LMTP(filepath.Join(b.TempDir(), "lmtp"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(box.Close)
		c.words = []string{"-o", "vincent.vole@example.com", "-l", box.Place}
		b.Cleanup(func() {
			if len(box.Taken()) == 0 {
				b.Errorf("%s has delivered nothing", c.path)
			}
		})
	}
	return ours, original
}
