package promql

import (
	"strconv"
	"strings"
)

// Expr is an instant vector: one value for each set of labels.
type Expr struct {
	text     string
	compound bool // an operator binds its parts
}

// String is the query.
func (e Expr) String() string { return e.text }

// Recorded is what a recording rule has kept under a name.
func Recorded(name string) Expr { return Expr{text: name} }

// Now is the time of evaluation, in Unix seconds.
func Now() Expr { return Expr{text: "time()"} }

func (e Expr) operand() string {
	switch {
	case !e.compound:
		return e.text
	case strings.Contains(e.text, "\n"):
		return "(\n" + indent(e.text) + "\n)"
	}
	return "(" + e.text + ")"
}

func (e Expr) with(operator string, other string) Expr {
	return Expr{text: e.operand() + " " + operator + " " + other, compound: true}
}

// Over divides, and survives what is missing: it is 0 where the numerator is missing, and absent where the denominator
// is missing or 0, since a share of nothing is nothing.
func (e Expr) Over(whole Expr) Expr {
	numerator := Expr{text: e.operand() + " or 0 * " + whole.operand(), compound: true}
	return numerator.with("/", "("+whole.operand()+" > 0)")
}

// Minus subtracts what has the same labels.
func (e Expr) Minus(other Expr) Expr { return e.with("-", other.operand()) }

// Plus adds what has the same labels.
func (e Expr) Plus(other Expr) Expr { return e.with("+", other.operand()) }

// Times multiplies by a number.
func (e Expr) Times(factor float64) Expr {
	return Expr{text: number(factor) + " * " + e.operand(), compound: true}
}

// OneMinus is what is missing to 1.
func (e Expr) OneMinus() Expr { return Expr{text: "1 - " + e.operand(), compound: true} }

// Above keeps what is greater than a number.
func (e Expr) Above(limit float64) Expr { return e.with(">", number(limit)) }

// AtLeast keeps what is at least a number.
func (e Expr) AtLeast(limit float64) Expr { return e.with(">=", number(limit)) }

// Is keeps what equals a number.
func (e Expr) Is(value float64) Expr { return e.with("==", number(value)) }

// Exceeds keeps what is greater than the value with the same labels.
func (e Expr) Exceeds(other Expr) Expr { return e.with(">", other.operand()) }

// Reaches keeps what is at least the value with the same labels.
func (e Expr) Reaches(other Expr) Expr { return e.with(">=", other.operand()) }

// And keeps what has a counterpart in all the others.
func (e Expr) And(others ...Expr) Expr {
	for _, other := range others {
		e = e.set("and", other)
	}
	return e
}

// Unless keeps what has no counterpart in the other.
func (e Expr) Unless(other Expr) Expr { return e.set("unless", other) }

// Or adds what has no counterpart yet.
func (e Expr) Or(other Expr) Expr { return e.set("or", other) }

// set joins on lines of their own. Sets of more than two parts of one operator need no parentheses; comparisons bind
// more tightly than the set operators.
func (e Expr) set(operator string, other Expr) Expr {
	return Expr{text: e.group(operator) + "\n" + operator + "\n" + other.group(""), compound: true}
}

func (e Expr) group(operator string) string {
	if !strings.Contains(e.text, "\n") {
		return e.text
	}
	if operator == "and" && !strings.Contains(e.text, "\nor\n") && !strings.Contains(e.text, "\nunless\n") {
		return e.text
	}
	if !e.compound {
		return e.text
	}
	return "(\n" + indent(e.text) + "\n)"
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
