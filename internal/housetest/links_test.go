package housetest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fences   = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```")
	links    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	headings = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	named    = regexp.MustCompile(`<a (?:id|name)="([^"]+)">`)
)

// TestLinksLeadSomewhere: to a file of this repository, and to a heading that is in it. Links to other sites are only
// looked at for a scheme that browsers take: tests ask nobody on the net.
func TestLinksLeadSomewhere(t *testing.T) {
	seen := 0
	for _, p := range pages(t) {
		for _, link := range links.FindAllStringSubmatch(fences.ReplaceAllString(p.text, ""), -1) {
			seen++
			if strings.HasPrefix(link[1], "https://") || strings.HasPrefix(link[1], "http://localhost") {
				continue
			}
			file, anchor, _ := strings.Cut(link[1], "#")
			target := p.path
			if file != "" {
				target = path.Join(path.Dir(p.path), file)
			}
			info, err := os.Stat(filepath.Join(root, target))
			if err != nil {
				t.Errorf("%s: a link leads nowhere: %s", p.path, link[1])
				continue
			}
			if anchor == "" {
				continue
			}
			if info.IsDir() || !anchors(read(t, filepath.Join(root, target)))[anchor] {
				t.Errorf("%s: a link leads to a heading that is not there: %s", p.path, link[1])
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d links were seen", seen)
	}
}

// anchors are the names that GitHub gives to a text's headings: small letters, blanks as hyphens, signs left out.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	text = fences.ReplaceAllString(text, "")
	for _, h := range headings.FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(h[1], "$1")
		name := regexp.MustCompile(`[^\p{L}\p{N}\- _]`).ReplaceAllString(strings.ToLower(plain), "")
		all[strings.ReplaceAll(strings.TrimSpace(name), " ", "-")] = true
	}
	for _, a := range named.FindAllStringSubmatch(text, -1) {
		all[a[1]] = true
	}
	return all
}

// TestNoPageIsLost: whoever begins at the README comes to every page of the documentation.
func TestNoPageIsLost(t *testing.T) {
	texts := map[string]string{}
	for _, p := range pages(t) {
		texts[p.path] = p.text
	}
	reached := map[string]bool{}
	var walk func(from string)
	walk = func(from string) {
		if reached[from] {
			return
		}
		reached[from] = true
		for _, link := range links.FindAllStringSubmatch(texts[from], -1) {
			file, _, _ := strings.Cut(link[1], "#")
			if to := path.Join(path.Dir(from), file); texts[to] != "" {
				walk(to)
			}
		}
	}
	walk("README.md")
	for name := range texts {
		if strings.HasPrefix(name, "docs/") && !reached[name] {
			t.Errorf("no way of links leads from README.md to %s", name)
		}
	}
}
