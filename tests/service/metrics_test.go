package service

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// metrics is where the service shows how it does.
func (s *service) metrics() string { return filepath.Join(string(s.room), "metrics") }

// get asks the service by HTTP.
func (s *service) get(path string) (status int, text string) {
	s.t.Helper()
	// The service takes mail a moment before it shows how it does.
	s.until("the service shows how it does", func() bool {
		c, err := net.Dial("unix", s.metrics())
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", s.metrics())
		},
		DisableKeepAlives: true,
	}}
	response, err := client.Get("http://imip-agent" + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// values returns what the metrics have, and their text.
func (s *service) values() (map[string]float64, string) {
	s.t.Helper()
	status, text := s.get("/metrics")
	if status != http.StatusOK {
		s.t.Fatalf("status %d: %s", status, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	values := map[string]float64{}
	for name, family := range families {
		for _, metric := range family.Metric {
			var labels []string
			for _, label := range metric.Label {
				labels = append(labels, label.GetName()+"="+label.GetValue())
			}
			key := name
			if len(labels) > 0 {
				key += "{" + strings.Join(labels, ",") + "}"
			}
			switch family.GetType() {
			case dto.MetricType_COUNTER:
				values[key] = metric.Counter.GetValue()
			case dto.MetricType_GAUGE:
				values[key] = metric.Gauge.GetValue()
			case dto.MetricType_HISTOGRAM:
				values[key+" count"] = float64(metric.Histogram.GetSampleCount())
				values[key+" sum"] = metric.Histogram.GetSampleSum()
				for _, bucket := range metric.Histogram.Bucket {
					values[name+"_bucket"] = float64(bucket.GetCumulativeCount())
				}
			}
		}
	}
	return values, text
}

// The metrics have what became of messages, and of nothing else; nobody's name is among them.
func TestMetrics(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	s.run()
	for _, m := range []struct{ login, text string }{
		{user(1), event(user(1), "REQUEST", "a", 1)},
		{user(1), event(user(1), "REQUEST", "a", 2)},
		{user(1), event(user(1), "REQUEST", "a", 0)}, // older than what is stored
		{user(1), event(user(1), "CANCEL", "a", 3)},
		{user(2), event(user(2), "PUBLISH", "b", 0)},
		{user(3), event(user(4), "REQUEST", "forged", 0)}, // From is somebody else
		{user(1), "From: " + user(1) + "\r\nContent-Type: text/plain\r\n\r\nHello\r\n"},
	} {
		s.sent(m.login, m.text)
	}
	s.until("all is handled", func() bool {
		values, _ := s.values()
		return s.drained() && values["imip_agent_spool_messages"] == 0
	})
	got, text := s.values() // again: those of before were not read in one moment
	want := map[string]float64{
		"imip_agent_taken_total{source=milter}":                              6,
		"imip_agent_message_seconds{source=milter} count":                    6,
		"imip_agent_changes_total{method=REQUEST,outcome=applied}":           2,
		"imip_agent_changes_total{method=REQUEST,outcome=refused}":           1,
		"imip_agent_refused_total{reason=it is older than the stored event}": 1,
		"imip_agent_changes_total{method=CANCEL,outcome=applied}":            1,
		"imip_agent_changes_total{method=PUBLISH,outcome=applied}":           1,
		"imip_agent_rejected_total{source=outgoing message}":                 1,
		"imip_agent_healthy":    1,
		"imip_agent_build_info": 1,
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if !strings.HasPrefix(name, "imip_agent_") || timed.MatchString(name) {
			continue
		}
		key := name
		if strings.HasPrefix(name, "imip_agent_build_info{") {
			key = "imip_agent_build_info"
		}
		if got[name] != want[key] {
			t.Errorf("%s is %v, want %v", name, got[name], want[key])
		}
		delete(want, key)
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
	if n := got["imip_agent_store_lock_wait_seconds count"]; n < 1 || got["imip_agent_message_seconds{source=milter} sum"] <= 0 {
		t.Errorf("%v locks were waited for, and messages were handled in no time", n)
	}
	if strings.Contains(text, "example.com") || strings.Contains(text, "forged") {
		t.Errorf("somebody's name is among the metrics: %s", text)
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Error(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if status, text := s.get("/nowhere"); status != http.StatusNotFound {
		t.Errorf("/nowhere: status %d: %s", status, text)
	}
	if info, err := os.Stat(s.metrics()); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket has mode %v, %v", info.Mode(), err)
	}
}

// timed are metrics that differ from run to run.
var timed = regexp.MustCompile(`_seconds(_bucket|\{.*\} sum| sum| count)$|_connections$`)

// The service says whether it is well, and if not, why.
func TestHealth(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	s.run()
	is := func(want int, why string) {
		t.Helper()
		status, text := s.get("/healthz")
		if status != want || !strings.Contains(text, why) {
			t.Errorf("status %d: %q, want %d and %q", status, text, want, why)
		}
		values, _ := s.values()
		if healthy := values["imip_agent_healthy"] == 1; healthy != (want == http.StatusOK) {
			t.Errorf("healthy: %v, but the status is %d", healthy, status)
		}
	}
	// away has a file in the place of a directory.
	away := func(dir string) (back func()) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.Rename(dir, dir+"-away"), os.WriteFile(dir, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		return func() {
			t.Helper()
			if err := errors.Join(os.Remove(dir), os.Rename(dir+"-away", dir)); err != nil {
				t.Fatal(err)
			}
		}
	}
	is(http.StatusOK, "ok")
	back := away(s.room.Store())
	is(http.StatusServiceUnavailable, "the store cannot be used")
	s.sent(user(1), event(user(1), "REQUEST", "a", 0))
	s.until("it has been tried", func() bool {
		values, _ := s.values()
		return values["imip_agent_changes_total{method=REQUEST,outcome=deferred}"] > 0 && values["imip_agent_spool_messages"] == 1
	})
	back()
	is(http.StatusOK, "ok")

	back = away(filepath.Join(string(s.room), "spool"))
	is(http.StatusServiceUnavailable, "no mail can be taken: SPOOL_DIR: ")
	s.sent(user(2), event(user(2), "REQUEST", "b", 0)) // which is accepted all the same
	if values, _ := s.values(); values["imip_agent_lost_total"] != 1 || values["imip_agent_take_failures_total{source=milter}"] != 1 {
		t.Errorf("%v are lost, and %v could not be taken", values["imip_agent_lost_total"], values["imip_agent_take_failures_total{source=milter}"])
	}
	back()
	is(http.StatusOK, "ok")
}

// A socket for metrics that cannot be had does not keep the service from taking mail; one that others could get to is none.
func TestNoMetrics(t *testing.T) {
	skip.OnOtherDays(t)
	for _, address := range []string{"/nowhere/metrics", "0.0.0.0:0"} {
		s := furnish(t, "")
		if err := program.Settings(s.room, "MILTER_SOCKET = '"+s.socket+"'\nMETRICS_ADDRESS = '"+address+"'\n"); err != nil {
			t.Fatal(err)
		}
		s.run()
		s.sent(user(1), event(user(1), "REQUEST", "a", 0))
		s.until("it is handled", s.drained)
		if status := s.kill(syscall.SIGTERM); status != 0 || !strings.Contains(s.stderr.String(), "nobody can see how the service does") {
			t.Errorf("status %d: %s", status, s.stderr)
		}
	}
}

// The examples for Grafana and Prometheus ask for metrics that there are, and name labels that they have.
func TestDashboard(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	s.run()
	_, text := s.values()
	check := func(where, query string) {
		t.Helper()
		found := regexp.MustCompile(`\b(?:imip_agent|go|process)_[a-z_]+`).FindAllString(query, -1)
		if len(found) == 0 && !strings.HasPrefix(query, "up{") {
			t.Errorf("%s: no metric in %s", where, query)
		}
		for _, name := range found {
			line := regexp.MustCompile(`(?m)^` + name + `(\{.*\})? .*$`).FindString(text)
			if line == "" {
				t.Errorf("%s: there is no metric %s", where, name)
			}
			for _, by := range regexp.MustCompile(`by \((\w+)\)`).FindAllStringSubmatch(query, -1) {
				if !strings.Contains(line, by[1]+`="`) {
					t.Errorf("%s: %s has no label %s", where, name, by[1])
				}
			}
		}
	}
	dir := filepath.Join("..", "..", "conf", "grafana")
	content, err := os.ReadFile(filepath.Join(dir, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	if len(dashboard.Panels) < 10 {
		t.Errorf("%d panels", len(dashboard.Panels))
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			check(panel.Title, target.Expr)
		}
	}
	rules := filepath.Join(dir, "alerts.yml")
	content, err = os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	alerts := regexp.MustCompile(`(?m)^ +expr: (.*)$`).FindAllStringSubmatch(string(content), -1)
	if len(alerts) < 5 {
		t.Errorf("%d alerts", len(alerts))
	}
	for _, alert := range alerts {
		check("alerts.yml", alert[1])
	}
	if promtool, err := exec.LookPath("promtool"); err == nil { // else what can be seen without it has been looked at
		if out, err := exec.Command(promtool, "check", "rules", rules).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// Mails that wait for the disk leave Go's processors to others, unless the administrator says how many there are.
func TestProcessors(t *testing.T) {
	skip.OnOtherDays(t)
	for setting, enough := range map[string]func(float64) bool{
		"":  func(n float64) bool { return n > 6 },
		"3": func(n float64) bool { return n == 3 },
	} {
		t.Run("GOMAXPROCS="+setting, func(t *testing.T) {
			t.Setenv("GOMAXPROCS", setting)
			s := furnish(t, "")
			s.run()
			values, _ := s.values()
			if n := values["go_sched_gomaxprocs_threads"]; !enough(n) {
				t.Errorf("the service has %v", n)
			}
		})
	}
}
