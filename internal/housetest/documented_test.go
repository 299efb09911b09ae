package housetest

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"slices"
	"strings"
	"testing"
)

// TestPublicPackagesAreDocumented: whoever types `go doc` is told what a package is, shown how it is used, in its comment or by an
// Example that runs, and finds a word about each exported name.
func TestPublicPackagesAreDocumented(t *testing.T) {
	seen := 0
	for _, p := range list(t, "./...") {
		name := p.name()
		if top, _, _ := strings.Cut(name, "/"); name == "." || strings.Contains(name, "internal") || slices.Contains([]string{"cmd", "examples"}, top) {
			continue
		}
		seen++
		d := documented(t, name)
		if !strings.HasPrefix(d.Doc, "Package "+d.Name+" ") {
			t.Errorf("package %s: its comment does not begin with \"Package %s\"", name, d.Name)
		}
		if !shows(d) && !exampled(d) {
			t.Errorf("package %s: neither its comment nor an Example shows how it is used", name)
		}
		for _, missing := range undocumented(d) {
			t.Errorf("%s.%s has no comment", name, missing)
		}
	}
	if seen < 15 {
		t.Errorf("only %d packages were seen", seen)
	}
}

// shows tells whether the package's comment has code in it.
func shows(d *doc.Package) bool {
	return slices.ContainsFunc(d.Parser().Parse(d.Doc).Content, func(b comment.Block) bool { _, ok := b.(*comment.Code); return ok })
}

func exampled(d *doc.Package) bool {
	return len(d.Examples) > 0 ||
		slices.ContainsFunc(d.Funcs, func(f *doc.Func) bool { return len(f.Examples) > 0 }) ||
		slices.ContainsFunc(d.Types, func(ty *doc.Type) bool {
			return len(ty.Examples) > 0 || slices.ContainsFunc(slices.Concat(ty.Funcs, ty.Methods), func(f *doc.Func) bool { return len(f.Examples) > 0 })
		})
}

// undocumented are the exported names without a comment. Those of a group may share the group's.
func undocumented(d *doc.Package) (names []string) {
	funcs := func(of string, all []*doc.Func) {
		for _, f := range all {
			if f.Doc == "" && f.Name != "Error" && f.Name != "Unwrap" { // whose meaning is Go's
				names = append(names, of+f.Name)
			}
		}
	}
	values := func(all []*doc.Value) {
		for _, v := range all {
			for _, spec := range v.Decl.Specs {
				s, ok := spec.(*ast.ValueSpec)
				if !ok || v.Doc != "" || s.Doc != nil || s.Comment != nil {
					continue
				}
				for _, n := range s.Names {
					if n.IsExported() {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	values(d.Consts)
	values(d.Vars)
	funcs("", d.Funcs)
	for _, ty := range d.Types {
		if ty.Doc == "" && !specDocumented(ty) {
			names = append(names, ty.Name)
		}
		values(ty.Consts)
		values(ty.Vars)
		funcs("", ty.Funcs)
		funcs(ty.Name+".", ty.Methods)
	}
	return names
}

// specDocumented tells whether a type of a group has a comment of its own.
func specDocumented(ty *doc.Type) bool {
	return slices.ContainsFunc(ty.Decl.Specs, func(s ast.Spec) bool {
		spec, ok := s.(*ast.TypeSpec)
		return ok && spec.Name.Name == ty.Name && (spec.Doc != nil || spec.Comment != nil)
	})
}
