// Package housetest holds the tests of the house's own rules: who may import whom, what an import costs a user, and how
// files are called. It has no code but its tests.
package housetest
