package housetest

import (
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is generated anew")

// configuration is what the reference has: functions that make a kind of option, and structs, of a package.
var configuration = []struct {
	title, about string
	folder       string
	options      []string // the types of options; their functions are listed
	structs      []string // whose fields are listed
}{
	{title: "Engine", about: "Options of `core.New`.", folder: "core", options: []string{"Option"}},
	{title: "Worker", about: "Fields of the configuration that `Engine.Serve` is given.", folder: "core", structs: []string{"WorkerConfig"}},
	{title: "Workflows, activities, calls and starts", about: "What a descriptor says is the default for its calls and starts; what these say counts more. " +
		"The type of an option says where it may stand, and the compiler keeps to it.", folder: "core",
		options: []string{"sharedOption", "policyOption", "calleeOption", "activityOption", "workflowOption", "wholeOption", "startOption", "callOption", "childOption"}},
	{title: "Retry policy", about: "Fields of what `core.Retry` is given.", folder: "core", structs: []string{"RetryPolicy"}},
	{title: "Retention", about: "Fields of what `core.WithRetention` is given.", folder: "core", structs: []string{"Retention"}},
	{title: "Schedules", about: "Fields of what `Workflow.PutSchedule` is given.", folder: "core", structs: []string{"Schedule"}},
	{title: "What operators ask for", about: "Options of `Cancel`, `Replay`, `ReplayAll`, `DiscardAll`, `PauseQueue` and the like.", folder: "core",
		options: []string{"actorOption", "cancelOption", "replayOperation", "bulkOperation", "bulkReplayOperation"}},
	{title: "SQLite", about: "Options of `sqlite.Open`.", folder: "core/backend/sqlite", options: []string{"Option"}},
	{title: "PostgreSQL", about: "Options of `postgres.Open` and `postgres.New`. A DSN has settings of its own, such as `pool_max_conns`.", folder: "core/backend/postgres", options: []string{"Option"}},
	{title: "Prometheus", about: "Options of `stentprom.New`.", folder: "recorder/prometheus", options: []string{"Option"}},
	{title: "StatsD", about: "Options of `stentstatsd.New`.", folder: "recorder/statsd", options: []string{"Option"}},
	{title: "OpenTelemetry metrics", about: "Options of `stentotel.New`, of `recorder/otel`.", folder: "recorder/otel", options: []string{"Option"}},
	{title: "OpenTelemetry traces", about: "Options of `stentotel.New`, of `tracing/otel`.", folder: "tracing/otel", options: []string{"Option"}},
	{title: "Jaeger", about: "Options of `stentjaeger.NewExporter`.", folder: "tracing/jaeger", options: []string{"Option"}},
	{title: "Logging", about: "Options of the injectors for slog, zap and zerolog.", folder: "logctx", options: []string{"Option"}, structs: []string{"Names"}},
}

// TestConfigurationReference holds docs/reference/configuration.md, which is made from the doc comments.
func TestConfigurationReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- Generated from the doc comments: go test ./internal/housetest -run Configuration -update -->\n\n# Configuration\n\n" +
		"Stent reads no file and, but for the command's `STENT_DB`, no environment: it is configured in Go. A zero value is the default.\n")
	for _, section := range configuration {
		p := documented(t, section.folder)
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", section.title, section.about)
		rows := 0
		row := func(name, text string) {
			if rows++; rows == 1 {
				b.WriteString("| | |\n|---|---|\n")
			}
			if text == "" {
				t.Errorf("%s: %s has no comment", section.folder, name)
			}
			fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.ReplaceAll(text, "|", `\|`))
		}
		for _, f := range optionFuncs(p, section.options) {
			row(signature(f), prose(p, f.Doc))
		}
		for _, name := range section.structs {
			i := slices.IndexFunc(p.Types, func(ty *doc.Type) bool { return ty.Name == name })
			if i < 0 {
				t.Fatalf("%s has no type %s", section.folder, name)
			}
			for _, f := range fieldsOf(p.Types[i]) {
				row(f.name, prose(p, f.doc))
			}
		}
		if rows == 0 {
			t.Errorf("%s: nothing was found for %s", section.folder, section.title)
		}
	}
	file := filepath.Join(root, "docs", "reference", "configuration.md")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, file) != b.String() {
		t.Errorf("%s is not what the doc comments say: go test ./internal/housetest -run Configuration -update", file)
	}
}

// documented is a package as go doc reads it, without its tests.
func documented(t *testing.T, folder string) *doc.Package {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var parsed []*ast.File
	for _, file := range files {
		f, err := parser.ParseFile(set, file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	p, err := doc.NewFromFiles(set, parsed, module+"/"+folder)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// optionFuncs are the functions that return one of the types, in the order of their names within that of the types.
func optionFuncs(p *doc.Package, types []string) (all []*doc.Func) {
	for _, name := range types {
		for _, f := range p.Funcs {
			if returns(f, name) {
				all = append(all, f)
			}
		}
		for _, ty := range p.Types {
			for _, f := range ty.Funcs {
				if returns(f, name) {
					all = append(all, f)
				}
			}
		}
	}
	return all
}

func returns(f *doc.Func, name string) bool {
	results := f.Decl.Type.Results
	if results == nil || len(results.List) != 1 {
		return false
	}
	id, ok := results.List[0].Type.(*ast.Ident)
	return ok && id.Name == name
}

// signature is what is written where the function is used: "Retry(p RetryPolicy)".
func signature(f *doc.Func) string {
	var parameters []string
	for _, field := range f.Decl.Type.Params.List {
		var names []string
		for _, n := range field.Names {
			names = append(names, n.Name)
		}
		parameters = append(parameters, strings.Join(names, ", ")+" "+typeText(field.Type))
	}
	return f.Name + "(" + strings.Join(parameters, ", ") + ")"
}

func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeText(e.X) + "." + e.Sel.Name
	case *ast.StarExpr:
		return "*" + typeText(e.X)
	case *ast.Ellipsis:
		return "..." + typeText(e.Elt)
	case *ast.MapType:
		return "map[" + typeText(e.Key) + "]" + typeText(e.Value)
	case *ast.ArrayType:
		return "[]" + typeText(e.Elt)
	default:
		return "func"
	}
}

type field struct{ name, doc string }

func fieldsOf(ty *doc.Type) (all []field) {
	for _, spec := range ty.Decl.Specs {
		s, ok := spec.(*ast.TypeSpec).Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range s.Fields.List {
			text := f.Doc.Text()
			if text == "" {
				text = f.Comment.Text()
			}
			for i, n := range f.Names {
				if i > 0 && f.Doc.Text() != "" {
					text = "likewise"
				}
				all = append(all, field{n.Name + " " + typeText(f.Type), text})
			}
		}
	}
	return all
}

// prose is a doc comment on one line.
func prose(p *doc.Package, text string) string {
	var b strings.Builder
	for i, block := range p.Parser().Parse(text).Content {
		if i > 0 {
			b.WriteString(" ")
		}
		switch block := block.(type) {
		case *comment.Paragraph:
			inline(&b, block.Text)
		case *comment.Code:
			b.WriteString("`" + strings.Join(strings.Fields(block.Text), " ") + "`")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func inline(b *strings.Builder, texts []comment.Text) {
	for _, text := range texts {
		switch text := text.(type) {
		case comment.Plain:
			b.WriteString(string(text))
		case comment.Italic:
			b.WriteString(string(text))
		case *comment.DocLink:
			b.WriteString("`")
			inline(b, text.Text)
			b.WriteString("`")
		case *comment.Link:
			inline(b, text.Text)
		}
	}
}
