// Package demo is a small shop on a real database: a stream of orders, a payment gateway that has its troubles, and a
// worker that lives with them. It exists to be looked at with the command stent.
package demo
