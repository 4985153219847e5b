package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"imip-agent/conf"

	"imip-agent/tests/skip"
)

// helps is what a program with commands says of itself.
var helps = map[string]string{
	"": `NAME:
   tool - do this and that

USAGE:
   tool COMMAND [options]

COMMANDS:
   look   look at it
   locks  show locks

GLOBAL OPTIONS:
   --version   print the version
   --help, -h  show help
`,
	"look": `NAME:
   tool look - look at it

USAGE:
   tool look [--user URI]... [options]

DESCRIPTION:
   Looks at a back\slash. For example
     tool look --user mailto:x@example.com
   every night.

   .A second paragraph isn't a request.

OPTIONS:
   --config FILE              read the configuration from FILE
   --user URI [ --user URI ]  only for the user URI

   Where things are:

   --store-dir DIR, -S DIR  the DIR where records are
`,
	"locks": `NAME:
   tool locks - show locks

USAGE:
   tool locks [list]

COMMANDS:
   list   show them
   break  break one

OPTIONS:
   --config FILE  read the configuration from FILE

   Where things are:

   --store-dir DIR, -S DIR  the DIR where records are
`,
	"locks list": `NAME:
   tool locks list - show them

USAGE:
   tool locks list

OPTIONS:
   --config FILE  read the configuration from FILE

   Where things are:

   --store-dir DIR, -S DIR  the DIR where records are
`,
	"locks break": `NAME:
   tool locks break - break one

USAGE:
   tool locks break USER

OPTIONS:
   --config FILE  read the configuration from FILE
   --force        also if it is held

   Where things are:

   --store-dir DIR, -S DIR  the DIR where records are
`,
}

func readAll(t *testing.T) *command {
	t.Helper()
	top, err := readHelp(func(words []string) (string, error) {
		text, ok := helps[strings.Join(words, " ")]
		if !ok {
			return "", fmt.Errorf("no command %v", words)
		}
		return text, nil
	}, "tool", nil)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func TestManual(t *testing.T) {
	page := manual(readAll(t), ".SH SEE ALSO\n")
	for _, want := range []string{
		"tool \\- do this and that\n",
		"\\fBtool\\fR look [\\-\\-user \\fIURI\\fR]... [\\fIoptions\\fR]\n",
		".SS look\nLook at it.\n",
		"Looks at a back\\eslash. For example\n.PP\n.RS 4\n.nf\ntool look \\-\\-user mailto:x@example.com\n.fi\n.RE\n.PP\nevery night.\n.PP\n",
		"\\&.A second paragraph isn\\(aqt a request.\n",
		".TP\n\\fB\\-\\-user\\fR \\fIURI\\fR\nOnly for the user \\fIURI\\fR.\n",
		".SS locks break\nBreak one.\n.TP\n\\fB\\-\\-force\\fR\nAlso if it is held.\n",
		".SH OPTIONS OF ALL COMMANDS\n.TP\n\\fB\\-\\-config\\fR",
		".PP\nWhere things are:\n.TP\n\\fB\\-S\\fR \\fIDIR\\fR, \\fB\\-\\-store\\-dir\\fR \\fIDIR\\fR\nThe \\fIDIR\\fR where records are.\n",
		".SH SEE ALSO\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if n := strings.Count(page, `\-\-config`); n != 1 {
		t.Errorf("an option of all commands stands there %d times", n)
	}
}

// TestReadHelpBad has what is no help.
func TestReadHelpBad(t *testing.T) {
	tests := map[string]string{
		"nothing":                  "",
		"another program's output": "usage: tool [-h]\n",
		"no usage":                 "NAME:\n   tool - do it\n",
		"an option without a text": "NAME:\n   tool - do it\n\nUSAGE:\n   tool\n\nOPTIONS:\n   --x\n",
	}
	for name, text := range tests {
		if c, err := readHelp(func([]string) (string, error) { return text, nil }, "tool", nil); err == nil {
			t.Errorf("%s: taken for %+v", name, c)
		}
	}
}

// TestCompletion asks bash what would come next on a command line.
func TestCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		skip.Because(t, "needs bash")
	}
	script := completion(readAll(t))
	tests := []struct{ line, want string }{
		{"tool ", "look locks --version -h --help"},
		{"tool lo", "look locks"},
		{"tool locks ", "list break --config -S --store-dir"},
		{"tool locks break --f", "--force"},
		{"tool look --", "--config --user --store-dir"},
		{"tool look --user ", ""}, // a word that nobody can know
		{"tool look --config manu", "manual.go"},
		{"tool look --store-dir /et", "/etc"},
		{"tool look mailto:x --us", "--user"},
	}
	for _, test := range tests {
		words := strings.Split(test.line, " ")
		cmd := exec.Command(bash, "-c", script+`
			compopt() { :; }
			COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
			_tool
			echo "${COMPREPLY[@]}"`, "bash")
		cmd.Args = append(cmd.Args, words...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v: %s", test.line, err, out)
			continue
		}
		if got := strings.TrimSpace(string(out)); got != test.want {
			t.Errorf("%q: %q, want %q", test.line, got, test.want)
		}
	}
}

// TestShells looks at the completion for the other shells, and has them read it where they
// are installed.
func TestShells(t *testing.T) {
	top := readAll(t)
	for shell, wants := range map[string][]string{
		"zsh":  {"#compdef tool", "'look:look at it'", "'*--force[also if it is held]'", "'*--store-dir[the DIR where records are]:directory:_files -/'"},
		"fish": {"complete -c tool -f -n '__fish_use_subcommand' -a look -d 'look at it'", "-l force -d 'also if it is held'", "-s S -l store-dir"},
	} {
		text, err := completionFor(top, shell)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s: nothing of %q:\n%s", shell, want, text)
			}
		}
		if path, err := exec.LookPath(shell); err == nil {
			cmd := exec.Command(path, "-n")
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v %s", shell, err, out)
			}
		}
	}
	if _, err := completionFor(top, "csh"); err == nil {
		t.Error("csh is known")
	}
}

// TestPages looks at the pages of commands, and of the configuration.
func TestPages(t *testing.T) {
	page := commandPage(readAll(t).commands[1], ".SH EXAMPLES\n")
	for _, want := range []string{"tool\\-locks \\- show locks\n", ".SS locks break\nBreak one.\n", "\\-\\-force", ".SH EXAMPLES\n", ".BR tool (1)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	example, err := os.ReadFile("../../../conf/config.txt")
	if err != nil {
		t.Fatal(err)
	}
	page = configPage(string(example), ".SH EXAMPLES\n")
	for _, name := range conf.Names() {
		if strings.Count(page, "\\fB"+escape(name)+"\\fR = ") != 1 {
			t.Errorf("the page of config.txt does not have %s once:\n%s", name, page)
		}
	}
}

// TestCopyright names every module that is linked into the programs.
func TestCopyright(t *testing.T) {
	text, err := copyright("Format: x\n", []string{"imip-agent/cmd/..."})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"github.com/emersion/go-ical", "github.com/jackc/pgx/v5", "the Go standard library", "License: Expat\n", "License: BSD-3-Clause\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing of %s", want)
		}
	}
}
