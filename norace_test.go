//go:build !race

package stent_test

const raceEnabled = false
