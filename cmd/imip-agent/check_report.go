package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/stores"
	"imip-agent/stores/calendar/printable"
	"imip-agent/tools/check"
)

// jsonFinding is a finding as --json writes it.
type jsonFinding struct {
	Type       string         `json:"type"`     // "finding"
	ID         string         `json:"id"`       // what kind of finding: it stays the same from version to version
	Severity   check.Severity `json:"severity"` // "error", "warning" or "note"
	State      check.State    `json:"state"`    // "found", "mended", or "would": it would be mended without --dry-run
	User       string         `json:"user,omitempty"`
	Path       string         `json:"path,omitempty"` // absolute
	UID        string         `json:"uid,omitempty"`
	Recurrence string         `json:"recurrence,omitempty"` // the recurrence id
	Text       string         `json:"text"`                 // what is wrong, for people
	Repair     string         `json:"repair,omitempty"`     // "safe" or "all": what mends it; none: somebody has to
	Command    string         `json:"command,omitempty"`    // the command line that mends it
}

// jsonSummary is the last line that --json writes.
type jsonSummary struct {
	Type     string   `json:"type"`  // "summary"
	Users    int      `json:"users"` // that were looked at
	Events   int      `json:"events"`
	Found    int      `json:"found"`  // findings that are there, notes apart
	Mended   int      `json:"mended"` // findings that were there
	Known    int      `json:"known"`  // of those found, the ones that the baseline knows, which are not written
	Locked   int      `json:"locked"` // users whose lock could not be had
	Failures []string `json:"failures,omitempty"`
	Manifest string   `json:"manifest,omitempty"` // of what was changed
	// JournalManifest is that of what was changed in the journal of quotas.
	JournalManifest string           `json:"journal_manifest,omitempty"`
	Seconds         float64          `json:"seconds"`
	Status          process.ExitCode `json:"status"`
}

// reporter writes findings.
type reporter struct {
	out                  io.Writer
	json, quiet, verbose bool
	baseline             *check.Baseline // nil: none
	remaining, known     int
	clear                func() // takes the progress bar off the screen
	command              func(words ...string) string
}

// checkAll checks, and reports.
func checkAll(ctx context.Context, checker, quotas *check.Checker, options *cli.Context, env process.Environment) error {
	r := &reporter{
		out: env.Stdout, json: options.Bool("json"), quiet: options.Bool("quiet"), verbose: options.Bool("verbose"),
		clear: func() {}, command: checker.Command,
	}
	if path := options.String("baseline"); path != "" {
		var err error
		if r.baseline, err = check.OpenBaseline(path); err != nil {
			return err
		}
	}
	if !r.quiet {
		checker.Progress, r.clear = showCount(env.Stderr, "checking users")
	}
	began := env.Now()
	summary, failure := checker.Run(ctx, r.finding)
	var ofQuotas check.Summary
	if quotas != nil && failure == nil {
		quotas.Progress = nil
		ofQuotas, failure = quotas.Run(ctx, r.finding)
		summary.Add(ofQuotas)
	}
	r.clear()
	took := env.Now().Sub(began)
	status := exitStatus(summary, failure, r.remaining)

	if r.baseline != nil && failure == nil && !checker.DryRun {
		failure = r.baseline.Save(checker.Users, len(summary.Failures) == 0)
	}
	if path := options.String("metrics"); path != "" {
		if err := check.WriteFile(path, summary.Metrics(took, int(status)), 0o644); err != nil {
			failure = errors.Join(failure, fmt.Errorf("writing the metrics: %w", err))
		}
	}
	if failure != nil {
		status = max(status, process.ExitFailed)
	}
	r.summary(summary, ofQuotas.Manifest, failure, took, status)
	for _, err := range summary.Failures { // what stopped it all is told at the end
		fmt.Fprintf(env.Stderr, "%s: %v\n", env.Program, err)
	}
	if status == process.ExitDone {
		return nil
	}
	return &process.ExitError{Code: status, Err: failure}
}

// exitStatus returns the highest status that applies.
func exitStatus(s check.Summary, failure error, remaining int) process.ExitCode {
	status := process.ExitDone
	if s.Mended > 0 {
		status = process.ExitMended
	}
	if remaining > 0 {
		status = process.ExitFindings
	}
	for _, err := range s.Failures {
		if !errors.Is(err, stores.ErrLocked) {
			status = process.ExitFailed
		}
	}
	if failure != nil {
		status = process.ExitFailed
	}
	if s.Locked > 0 || errors.Is(failure, stores.ErrAway) {
		status = process.ExitTemporary
	}
	return status
}

// finding writes a finding.
func (r *reporter) finding(f check.Finding) {
	isNew := r.baseline == nil || r.baseline.IsNew(f)
	there := f.State != check.Mended && f.Kind.Severity > check.Note
	switch {
	case there && isNew:
		r.remaining++
	case there:
		r.known++
	}
	if !isNew || r.quiet {
		return
	}
	r.clear()
	if r.json {
		r.line(jsonFinding{
			Type: "finding", ID: f.Kind.ID, Severity: f.Kind.Severity, State: f.State, User: string(f.User), Path: f.Path,
			UID: f.ID.UID, Recurrence: f.ID.RecurrenceID, Text: f.Text, Repair: f.Needs().String(), Command: f.Command,
		})
		return
	}
	var about []string
	for _, part := range []string{string(f.User), f.Path} {
		if part != "" {
			about = append(about, printable.Text(part))
		}
	}
	if f.ID.UID != "" {
		about = append(about, printable.Text(strings.TrimSpace("event "+f.ID.UID+" "+f.ID.RecurrenceID)))
	}
	fmt.Fprintf(r.out, "%s: %s\n  %s [%s]\n", f.Kind.Severity, strings.Join(about, ": "), printable.Text(f.Text), f.Kind.ID)
	switch {
	case f.State == check.Mended:
		fmt.Fprintln(r.out, "  repaired")
	case f.State == check.Planned:
		fmt.Fprintln(r.out, "  would be repaired")
	case f.Command != "":
		fmt.Fprintf(r.out, "  to repair it: %s\n", printable.Text(f.Command))
	}
}

// summary writes the summary.
func (r *reporter) summary(s check.Summary, ofQuotas string, failure error, took time.Duration, status process.ExitCode) {
	switch {
	case r.quiet:
	case r.json:
		var failures []string
		for _, err := range s.Failures {
			failures = append(failures, err.Error())
		}
		r.line(jsonSummary{
			Type: "summary", Users: s.Users, Events: s.Events, Found: s.Remaining, Mended: s.Mended, Known: r.known,
			Locked: s.Locked, Failures: failures, Manifest: s.Manifest, JournalManifest: ofQuotas, Seconds: took.Seconds(), Status: status,
		})
	default:
		for _, manifest := range []string{s.Manifest, ofQuotas} {
			if manifest != "" {
				fmt.Fprintf(r.out, "to undo all changes: %s\n", r.command("check", "--undo", manifest))
			}
		}
		if !r.verbose {
			return
		}
		what := "no errors found"
		if failure != nil || len(s.Failures) > 0 {
			what = "the check is not complete:"
		}
		if s.Remaining+s.Mended > 0 {
			what = fmt.Sprintf("findings: %d left, %d repaired,", s.Remaining, s.Mended)
		}
		fmt.Fprintf(r.out, "%s in %d users, %d events, in %v\n", what, s.Users, s.Events, took.Round(time.Millisecond))
	}
}

func (r *reporter) line(value any) {
	line, err := json.Marshal(value)
	if err == nil {
		fmt.Fprintf(r.out, "%s\n", line)
	}
}
