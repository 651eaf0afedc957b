package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// page is a Markdown page of the repository.
type page struct{ path, text string }

// pages returns the README and the pages of docs.
func pages(t *testing.T) (out []page) {
	t.Helper()
	names, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(append(names, more...), "../../README.md", "../../CONTRIBUTING.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page{strings.TrimPrefix(name, "../../"), string(text)})
	}
	return out
}

// commandLine finds a command of weir in a line of code of a page.
var commandLine = regexp.MustCompile(`^(?:    |\$ )\s*(?:bin/|\./)?(?:go run \./cmd/)?weir ((?:[a-z].*)?)$`)

// commands returns the command lines of weir in the code of a page, each with its
// continuations.
func (p page) commands() (out []string) {
	lines := strings.Split(p.text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		for strings.HasSuffix(line, "\\") && i+1 < len(lines) {
			i++
			line = strings.TrimSuffix(line, "\\") + strings.TrimSpace(lines[i])
		}
		if m := commandLine.FindStringSubmatch(line); m != nil {
			out = append(out, m[1])
		}
	}
	return out
}

// words splits a command line as a shell does, as far as pages need it: quotes, and
// what ends a command.
func words(line string) (out []string) {
	for _, m := range regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`).FindAllString(line, -1) {
		switch {
		case m[0] == '#' || m[0] == '|' || m[0] == '>' || m == "&&" || m[0] == '2' && strings.HasPrefix(m, "2>"):
			return out
		case m[0] == '"' || m[0] == '\'':
			m = m[1 : len(m)-1]
		}
		out = append(out, strings.Trim(m, `"'`))
	}
	return out
}

// Every command of weir that a page shows is there, with each of its flags.
func TestDocsCommands(t *testing.T) {
	n := 0
	for _, p := range pages(t) {
		for _, line := range p.commands() {
			args := words(line)
			cmd, rest, err := newRootCommand().Find(args)
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err != nil {
				t.Errorf("%s shows `weir %s`: %v", p.path, line, err)
			}
			n++
		}
	}
	if n < 30 {
		t.Errorf("the pages show %d commands; there were more: does the test still find them?", n)
	}
}

// transcript is a block of a page that begins with a command behind "$ " and goes on
// with what the command writes. A line … stands for any lines,
// and … within a line for any text.
var transcript = regexp.MustCompile("(?s)```\n((?:\\$ [^\n]*\n)+)(.*?)```")

// What the pages show of the output of commands is what they write. This runs the
// commands, which takes minutes: make docs-check.
func TestDocsTranscripts(t *testing.T) {
	if os.Getenv("WEIR_DOCS") == "" {
		t.Skip("runs the commands of the pages, for minutes: make docs-check, or WEIR_DOCS=1")
	}
	bin := filepath.Join(t.TempDir(), "weir")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	n := 0
	for _, p := range pages(t) {
		for _, m := range transcript.FindAllStringSubmatch(p.text, -1) {
			n++
			got := play(t, bin, m[1])
			if !shows(m[2], got) {
				t.Errorf("%s shows of\n%s\n%s\nand it writes\n%s", p.path, m[1], m[2], got)
			}
		}
	}
	if n == 0 {
		t.Error("no page shows what a command writes: does the test still find them?")
	}
}

// The alert that the README shows is one that its commands write: each value that stands
// there, in its order.
func TestDocsAlert(t *testing.T) {
	if os.Getenv("WEIR_DOCS") == "" {
		t.Skip("runs the commands of the README, for a minute: make docs-check, or WEIR_DOCS=1")
	}
	bin := filepath.Join(t.TempDir(), "weir")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, begins := strings.Cut(string(text), "```json\n")
	shown, _, ends := strings.Cut(shown, "```")
	got := play(t, bin, "$ weir simulate --scenario demo --out e.ndjson\n$ weir backtest -o json e.ndjson\n")
	key := regexp.MustCompile(`"dedup_key": "(weir-[0-9a-f]+)"`).FindStringSubmatch(shown)
	if !begins || !ends || key == nil {
		t.Fatal("the README shows no alert: does the test still find it?")
	}
	for line := range strings.Lines(got) {
		if strings.Contains(line, `"dedup_key":"`+key[1]+`","status":"open"`) {
			for _, value := range regexp.MustCompile(`"[a-z_]+": ("[^"]*"|[0-9.]+)`).FindAllString(shown, -1) {
				if i := strings.Index(line, strings.Replace(value, ": ", ":", 1)); i < 0 {
					t.Errorf("the README shows %s, which does not stand where it should in %s", value, line)
				} else {
					line = line[i+1:]
				}
			}
			return
		}
	}
	t.Errorf("the README shows %s, and no such alert is written", key[1])
}

// play runs the commands of a transcript one after the other, in a folder of their
// own, and returns what they write.
func play(t *testing.T, bin, commands string) string {
	t.Helper()
	script := strings.ReplaceAll(strings.ReplaceAll("\n"+commands, "\n$ ", "\n"), "go run ./cmd/weir", "weir")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s", commands, err, &out)
	}
	return out.String()
}

// shows reports whether a page shows an output, in which a line … stands for any.
func shows(page, output string) bool {
	var parts []string
	for part := range strings.SplitSeq("\n"+page, "\n…\n") {
		parts = append(parts, strings.ReplaceAll(regexp.QuoteMeta(strings.Trim(part, "\n")), "…", `[^\n]*`))
	}
	return regexp.MustCompile(`(?s)^\s*` + strings.Join(parts, `.*`) + `\s*$`).MatchString(output)
}

// The reading of pages: commands over several lines, comments and pipes; and outputs
// with lines left out.
func TestDocsReading(t *testing.T) {
	p := page{text: "text weir nothing\n\n    bin/weir run -c weir.yaml   # a comment\n    weir backtest \\\n      x.ndjson > out\n\n```\n$ go run ./cmd/weir demo --once\nout\n```\n"}
	var got []string
	for _, line := range p.commands() {
		got = append(got, strings.Join(words(line), " "))
	}
	if want := "run -c weir.yaml,backtest x.ndjson,demo --once"; strings.Join(got, ",") != want {
		t.Errorf("found %q, want %q", got, want)
	}
	if !shows("a\n…\nd\n", "a\nb\nc\nd\n") || shows("a\nd\n", "a\nb\nd\n") || !shows("a\n", "a\n") || !shows("x, …\nb\n", "x, y, z\nb\n") || shows("x, …\nb\n", "x\nb\n") {
		t.Error("outputs with lines left out are held against pages wrongly")
	}
}

// The size of the simulated company is the same in its page and in the command's help.
func TestDocsSimulatedCompany(t *testing.T) {
	figure := regexp.MustCompile(`about ([0-9,]+) events\s+(?:on )?a working day`)
	help := figure.FindStringSubmatch(newSimulateCommand().Flags().Lookup("scale").Usage)
	text, err := os.ReadFile("../../docs/simulate.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := figure.FindStringSubmatch(string(text))
	if help == nil || shown == nil || help[1] != shown[1] {
		t.Errorf("the help says %q, the page %q", help, shown)
	}
}
