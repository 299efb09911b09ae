module github.com/stentgo/stent

go 1.25.0
