package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestReference holds docs/reference/cli.md, which is made from the commands themselves.
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- Generated from the commands: go test ./internal/cli -run Reference -update -->\n\n# The command\n\n" +
		"`go install github.com/stentgo/stent/cmd/stent@latest` installs it; `stent completion --help` tells how a shell completes it. " +
		"[Operating](../guides/operating.md) shows it at work.\n\n" +
		"| exit code | |\n|---|---|\n| 0 | done |\n| 1 | something went wrong; one line on stderr says what |\n" +
		"| 2 | the command was not understood |\n| 130 | Ctrl-C |\n\n")
	root := (&app{program: "stent"}).root()
	root.InitDefaultHelpFlag()
	describeCommand(&b, root)
	holds(t, "cli.md", b.String())
}

// holds compares a page of the reference with what it is to be, or writes it.
func holds(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", "reference", name)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is not what the code says: go test ./internal/cli -run Reference -update (%v)", path, err)
	}
}

func describeCommand(b *strings.Builder, cmd *cobra.Command) {
	if cmd.HasParent() {
		fmt.Fprintf(b, "## %s\n\n", cmd.CommandPath())
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(b, "%s\n\n", asMarkdown(text))
	if cmd.Runnable() && cmd.HasParent() && !cmd.HasSubCommands() {
		fmt.Fprintf(b, "```text\n%s\n```\n\n", cmd.UseLine())
	}
	if cmd.HasSubCommands() {
		b.WriteString("| | |\n|---|---|\n")
		for _, sub := range cmd.Commands() {
			if told(sub) {
				fmt.Fprintf(b, "| [`%s`](#%s) | %s |\n", sub.CommandPath(), strings.ReplaceAll(sub.CommandPath(), " ", "-"), sub.Short)
			}
		}
		b.WriteString("\n")
	}
	describeFlags(b, cmd)
	if cmd.Example != "" {
		fmt.Fprintf(b, "```text\n%s\n```\n\n", outdented(cmd.Example))
	}
	for _, sub := range cmd.Commands() {
		if told(sub) {
			describeCommand(b, sub)
		}
	}
}

// told leaves out what cobra adds by itself.
func told(cmd *cobra.Command) bool { return cmd.IsAvailableCommand() && cmd.Name() != "completion" }

func describeFlags(b *strings.Builder, cmd *cobra.Command) {
	flags := cmd.LocalFlags()
	rows := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if rows++; rows == 1 {
			b.WriteString("| flag | default | |\n|---|---|---|\n")
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "`--" + f.Name
		if value != "" && f.Value.Type() != "bool" {
			name += " " + value
		}
		def := f.DefValue
		switch def {
		case "", "[]", "false":
			def = ""
		default:
			def = "`" + def + "`"
		}
		fmt.Fprintf(b, "| %s` | %s | %s |\n", name, def, inCell(usage))
	})
	if rows > 0 {
		b.WriteString("\n")
	}
}

// inCell is a text that stands in a cell of a table.
func inCell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", `\|`), "\n", " ")
}

// asMarkdown keeps the lines that are indented as they are.
func asMarkdown(text string) string {
	var b strings.Builder
	code := false
	for line := range strings.SplitSeq(text, "\n") {
		if indented := strings.HasPrefix(line, "  "); indented != code && (indented || line != "") {
			b.WriteString("```")
			if indented {
				b.WriteString("text")
			}
			b.WriteString("\n")
			code = indented
		}
		b.WriteString(strings.TrimPrefix(line, "  ") + "\n")
	}
	if code {
		b.WriteString("```\n")
	}
	return strings.ReplaceAll(strings.TrimSpace(b.String()), "\n\n```\n", "\n```\n\n")
}

func outdented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}
