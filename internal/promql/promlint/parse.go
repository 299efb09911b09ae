package promlint

import (
	"fmt"
	"slices"
	"strings"
)

// node is a part of a query.
type node struct {
	op   string // selector, number, call, aggregate, or a binary operator
	name string // of the metric, the function or the aggregation
	args []*node

	by       []string // of an aggregation
	on       []string // of a binary operator
	matchers []matcher
	window   string
}

type matcher struct{ label, operator, value string }

type parser struct {
	tokens []token
	at     int
}

// parse reads a query.
func parse(text string) (n *node, err error) {
	list, err := scan(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: list}
	defer func() {
		if r := recover(); r != nil {
			wrong, ok := r.(syntax)
			if !ok {
				panic(r)
			}
			err = wrong
		}
	}()
	n = p.binary(0)
	if p.peek().kind != "end" {
		p.fail("%q is left over", p.peek().text)
	}
	return n, nil
}

type syntax string

func (s syntax) Error() string { return string(s) }

func (p *parser) fail(format string, args ...any) { panic(syntax(fmt.Sprintf(format, args...))) }

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != "end" {
		p.at++
	}
	return t
}

func (p *parser) accept(text string) bool {
	if t := p.peek(); t.kind != "string" && t.text == text && t.kind != "end" {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.fail("want %q, not %q", text, p.peek().text)
	}
}

// How tightly operators bind, the weakest first.
var levels = [][]string{{"or"}, {"and", "unless"}, {"==", "!=", ">", "<", ">=", "<="}, {"+", "-"}, {"*", "/"}}

func (p *parser) binary(level int) *node {
	if level == len(levels) {
		return p.unary()
	}
	left := p.binary(level + 1)
	for slices.Contains(levels[level], p.peek().text) && p.peek().kind != "string" {
		n := &node{op: p.next().text}
		if p.accept("on") {
			n.on = p.labels()
		}
		n.args = []*node{left, p.binary(level + 1)}
		left = n
	}
	return left
}

var aggregations = []string{"sum", "max", "min", "avg", "count", "topk"}

func (p *parser) unary() *node {
	if p.accept("(") {
		n := p.binary(0)
		p.expect(")")
		return n
	}
	t := p.next()
	switch {
	case t.kind == "number":
		return &node{op: "number", name: t.text}
	case t.kind != "name":
		p.fail("want a metric, a function or a number, not %q", t.text)
	case slices.Contains(aggregations, t.text):
		return p.aggregate(t.text)
	case p.accept("("):
		return p.call(t.text)
	}
	return p.selector(t.text)
}

func (p *parser) aggregate(name string) *node {
	n := &node{op: "aggregate", name: name}
	if p.accept("by") {
		n.by = p.labels()
	}
	p.expect("(")
	n.args = append(n.args, p.binary(0))
	p.expect(")")
	return n
}

func (p *parser) call(name string) *node {
	n := &node{op: "call", name: name}
	for !p.accept(")") {
		n.args = append(n.args, p.binary(0))
		if !p.accept(",") {
			p.expect(")")
			break
		}
	}
	return n
}

func (p *parser) selector(name string) *node {
	n := &node{op: "selector", name: name}
	if p.accept("{") {
		for !p.accept("}") {
			m := matcher{label: p.next().text, operator: p.next().text}
			t := p.next()
			if t.kind != "string" || !strings.Contains("= != =~ !~", m.operator) {
				p.fail("matcher %s%s%s", m.label, m.operator, t.text)
			}
			m.value = strings.Trim(t.text, `"`)
			n.matchers = append(n.matchers, m)
			if !p.accept(",") {
				p.expect("}")
				break
			}
		}
	}
	if p.accept("[") {
		n.window = p.duration()
		p.expect("]")
	}
	if p.accept("offset") {
		p.duration()
	}
	return n
}

func (p *parser) duration() string {
	t := p.next()
	if t.kind != "duration" {
		p.fail("want a duration, not %q", t.text)
	}
	return t.text
}

func (p *parser) labels() []string {
	var list []string
	p.expect("(")
	for !p.accept(")") {
		list = append(list, p.next().text)
		if !p.accept(",") {
			p.expect(")")
			break
		}
	}
	return list
}
