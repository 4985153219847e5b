// Package metrics shows how the service does: to Prometheus, and to whoever asks whether it is well.
//
// No name of a user, an event or a mail is among the metrics: there would be too many, and they are nobody's business.
package metrics

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"imip-agent/cmd/internal/serve"
	"imip-agent/handlers"
	"imip-agent/handlers/itip"
	"imip-agent/stores/rejected"
)

// Monitor counts what the service does. It implements [serve.Monitor].
type Monitor struct {
	registry *prometheus.Registry
	now      func() time.Time

	changes, refused, taken, failed, rejected *prometheus.CounterVec
	handled                                   *prometheus.HistogramVec
	waited                                    prometheus.Histogram
	locked                                    prometheus.Counter
}

var _ serve.Monitor = (*Monitor)(nil)

// What becomes of a change: the values of the label outcome.
const (
	applied  = "applied"
	nothing  = "nothing"  // nothing was to be done
	refused  = "refused"  // by the rules of iTIP, or since the user does not want it
	rejects  = "rejected" // it can never be applied
	deferred = "deferred" // it is tried again
)

// methods are those of RFC 5546 section 1.4, which are the values of the label method, beside "other".
var methods = []string{"PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"}

const prefix = "imip_agent_"

// New returns a monitor that goes by a clock, of a program of that version.
func New(version string, now func() time.Time) *Monitor {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	}
	m := &Monitor{
		registry: prometheus.NewRegistry(), now: now,
		changes:  counter("changes_total", "Changes to users' records, by the method of the message and by what became of them. Deferred ones are tried again, and then counted again.", "method", "outcome"),
		refused:  counter("refused_total", "Changes that were refused, by the reason as it stands in the log.", "reason"),
		taken:    counter("taken_total", "Messages that were put into the spool, by where they came from.", "source"),
		failed:   counter("take_failures_total", "Messages that could not be put into the spool, by where they came from.", "source"),
		rejected: counter("rejected_total", "Messages and data that can never be handled and were kept with the reason, by where they came from.", "source"),
		handled: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "message_seconds", Help: "The time from taking a message to having handled it, by where it came from.",
			Buckets: []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400},
		}, []string{"source"}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "store_lock_wait_seconds", Help: "The time that the lock on a user's records was waited for.",
			Buckets: []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60},
		}),
		locked: prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "store_lock_timeouts_total", Help: "Locks on users' records that were not had in time."}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + "build_info", Help: "1, with the version of the program."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.changes, m.refused, m.taken, m.failed, m.rejected, m.handled, m.waited, m.locked, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// What has not happened yet is 0, not missing: rates and alerts go by it.
	for _, method := range methods {
		for _, outcome := range []string{applied, nothing, refused, rejects, deferred} {
			m.changes.WithLabelValues(method, outcome)
		}
	}
	for reason := itip.Applied + 1; reason <= itip.NoUser; reason++ {
		m.refused.WithLabelValues(reason.String())
	}
	for _, source := range sources {
		m.taken.WithLabelValues(source)
		m.failed.WithLabelValues(source)
		m.handled.WithLabelValues(source)
	}
	for _, source := range []string{"outgoing message", "incoming message", "spool", "store"} {
		m.rejected.WithLabelValues(source)
	}
	return m
}

// sources are where messages come from: those of a note of the spool.
var sources = []string{"milter", "lmtp", "pipe"}

// Changed implements [serve.Observer].
func (m *Monitor) Changed(c handlers.Change, r handlers.Result) {
	method := strings.ToUpper(c.Method)
	if !slices.Contains(methods, method) {
		method = "other" // whoever writes a message invents any number of them
	}
	outcome := applied
	switch {
	case r.Unstorable():
		outcome = rejects
	case r.Err != nil:
		outcome = deferred
	case r.Refused != itip.Applied:
		outcome = refused
		m.refused.WithLabelValues(r.Refused.String()).Inc()
	case len(r.Effects) == 0:
		outcome = nothing
	}
	m.changes.WithLabelValues(method, outcome).Inc()
}

// Taken implements [serve.Observer].
func (m *Monitor) Taken(source string, err error) {
	if err != nil {
		m.failed.WithLabelValues(source).Inc()
		return
	}
	m.taken.WithLabelValues(source).Inc()
}

// Handled implements [serve.Observer].
func (m *Monitor) Handled(source string, took time.Duration) {
	m.handled.WithLabelValues(source).Observe(max(0, took).Seconds()) // clocks go back
}

// PutAside implements [serve.Observer].
func (m *Monitor) PutAside(note rejected.Note) {
	source, _, _ := strings.Cut(note.Source, ",") // "spool, milter"
	if source == "" {
		source = "message"
	}
	m.rejected.WithLabelValues(source).Inc()
}

// Waited implements [serve.Observer].
func (m *Monitor) Waited(took time.Duration, err error) {
	m.waited.Observe(max(0, took).Seconds())
	if err != nil {
		m.locked.Inc()
	}
}

// Show implements [serve.Monitor]: /metrics, and /healthz with status 200, or 503 and the reasons. It is called once.
func (m *Monitor) Show(v serve.Vitals) http.Handler {
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, value))
	}
	gauge("spool_messages", "Messages that wait in the spool.", func() float64 { return float64(v.Spool().Messages) })
	gauge("spool_bytes", "The size of the messages that wait in the spool.", func() float64 { return float64(v.Spool().Octets) })
	gauge("spool_users", "Users of whom messages wait in the spool.", func() float64 { return float64(v.Spool().Users) })
	gauge("spool_oldest_seconds", "The age of the oldest message in the spool, 0 if there is none.", func() float64 {
		oldest := v.Spool().Oldest
		if oldest.IsZero() {
			return 0
		}
		return max(0, m.now().Sub(oldest)).Seconds()
	})
	gauge("connections", "Open connections of mail systems.", func() float64 { return float64(v.Connections()) })
	gauge("healthy", "1 if mail can be taken and handled, else 0: /healthz has the reason.", func() float64 {
		if len(v.Health(context.Background())) > 0 {
			return 0
		}
		return 1
	})
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: prefix + "lost_total", Help: "Messages that were accepted without the calendar's knowledge, since they could not be taken or are too large.",
	}, func() float64 { return float64(v.Lost()) }))

	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		wrong := v.Health(r.Context())
		if len(wrong) == 0 {
			fmt.Fprintln(w, "ok")
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, strings.Join(wrong, "\n"))
	})
	return mux
}
