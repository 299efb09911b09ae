package dashboards

import "github.com/stentgo/stent/metrics"

// Units as Grafana names them.
const (
	seconds   = "s"
	percent   = "percentunit" // of 1
	bytesUnit = "bytes"
	number    = "short"
	perMinute = "suffix:/min"
	perSecond = "suffix:/s"
)

// look is what panels of one type have different.
type look struct {
	unit       string
	decimals   *int
	stacked    bool
	plain      bool // a stat without its course
	exemplars  bool
	max        *float64
	free       bool // the axis does not begin at 0
	thresholds []Threshold
	mappings   []Mapping
	runbook    string // the alert that the panel is about
	links      []DataLink
	overrides  []Override
}

func ptr[T any](v T) *T { return &v }

// above colours what is greater than each value, in order: the first is fine.
func above(colors []string, values ...float64) []Threshold {
	steps := []Threshold{{Color: colors[0]}}
	for i, v := range values {
		steps = append(steps, Threshold{Color: colors[i+1], Value: ptr(v)})
	}
	return steps
}

var (
	calm  = []string{"green", "orange", "red"}
	alarm = []string{"green", "red"}
	needs = []string{"red", "green"} // what has to be there
)

// lines is a panel of lines over time.
func (b *board) lines(w, h int, title, description string, l look, lines ...line) {
	custom := TimeseriesCustom{DrawStyle: "line", LineWidth: 1, FillOpacity: 8, ShowPoints: "never", Stacking: Stacking{Mode: "none", Group: "A"}}
	if l.stacked {
		custom.FillOpacity, custom.Stacking.Mode = 40, "normal"
	}
	if l.unit == percent && l.max == nil {
		custom.AxisSoftMax = ptr(0.1) // else an axis on which all is 0 goes to 10,000 %
	}
	defaults := b.defaults(l, "palette-classic")
	if len(l.thresholds) > 0 {
		custom.ThresholdsStyle = &ThresholdsStyle{Mode: "dashed"}
	}
	defaults.Custom = custom
	if !l.free {
		defaults.Min = ptr(0.0)
	}
	b.place(w, h, Panel{
		Type: "timeseries", Title: title, Description: description, Links: b.links(l),
		FieldConfig: &FieldConfig{Defaults: defaults, Overrides: overrides(l)},
		Options: TimeseriesOptions{
			Legend:  Legend{ShowLegend: true, DisplayMode: "list", Placement: "bottom", Calcs: []string{}},
			Tooltip: Tooltip{Mode: "multi", Sort: "desc"},
		},
		Targets: targets(lines, "time_series", l.exemplars),
	})
}

// stat is a panel of one number, or of one for each series.
func (b *board) stat(w, h int, title, description string, l look, lines ...line) {
	if len(l.thresholds) == 0 {
		l.thresholds = []Threshold{{Color: "blue"}}
	}
	defaults := b.defaults(l, "thresholds")
	defaults.NoValue = "no data"
	graph := "area"
	if l.plain {
		graph = "none"
	}
	b.place(w, h, Panel{
		Type: "stat", Title: title, Description: description, Links: b.links(l),
		FieldConfig: &FieldConfig{Defaults: defaults, Overrides: overrides(l)},
		Options: StatOptions{
			ReduceOptions: ReduceOptions{Calcs: []string{"lastNotNull"}}, Orientation: "auto", TextMode: "auto", ColorMode: "value",
			GraphMode: graph, JustifyMode: "auto", WideLayout: true, PercentChangeColorMode: "standard",
		},
		Targets: targets(lines, "time_series", false),
	})
}

// heatmap is a panel of how often each size of something occurred.
func (b *board) heatmap(w, h int, title, description, unit string, of metrics.Metric) {
	l := line{expr: b.of(of).Heat(window), legend: "{{le}}"}
	if b.options.Native {
		l.legend = ""
	}
	b.place(w, h, Panel{
		Type: "heatmap", Title: title, Description: description,
		FieldConfig: &FieldConfig{Defaults: FieldDefaults{Unit: unit}, Overrides: []Override{}},
		Options: HeatmapOptions{
			CellGap: 1, Color: HeatmapColor{Mode: "scheme", Scheme: "Oranges", Scale: "exponential", Fill: "dark-orange", Exponent: 0.5, Steps: 64},
			YAxis: HeatmapAxis{AxisPlacement: "left", Unit: unit}, Tooltip: HeatmapTooltip{Mode: "single", YHistogram: true},
			Legend: ShowLegend{Show: true}, Exemplars: HeatmapMarks{Color: "rgba(255,0,255,0.7)"}, CellValues: &CellValues{Unit: number}, ShowValue: "never",
		},
		Targets: targets([]line{l}, "heatmap", true),
	})
}

// column is one column of a table: a query, its title and its unit.
type column struct {
	line
	unit       string
	thresholds []Threshold
	mappings   []Mapping
}

// key is a column of a label's values.
type key struct{ label, title string }

// table is a panel of one line for each value of some labels, as of now.
func (b *board) table(w, h int, title, description string, l look, sortBy string, keys []key, columns ...column) {
	organize := Organize{ExcludeByName: map[string]bool{"Time": true}, IndexByName: map[string]int{}, RenameByName: map[string]string{}}
	place := func(field, title string) {
		organize.IndexByName[field] = len(organize.IndexByName)
		organize.RenameByName[field] = title
	}
	lines := make([]line, len(columns))
	for _, k := range keys {
		place(k.label, k.title)
	}
	for i, c := range columns {
		lines[i] = line{expr: c.expr}
		place("Value #"+string(rune('A'+i)), c.legend)
		properties := []Property{{"unit", c.unit}}
		if len(c.thresholds) > 0 {
			properties = append(properties, Property{"thresholds", Thresholds{Mode: "absolute", Steps: c.thresholds}},
				Property{"custom.cellOptions", CellOptions{Type: "color-text"}})
		}
		if len(c.mappings) > 0 {
			properties = append(properties, Property{"mappings", c.mappings})
		}
		l.overrides = append(l.overrides, Override{Matcher: Matcher{ID: "byName", Options: c.legend}, Properties: properties})
	}
	defaults := b.defaults(l, "thresholds")
	defaults.Custom = TableCustom{Align: "auto", CellOptions: CellOptions{Type: "auto"}}
	if len(l.links) > 0 {
		l.overrides = append(l.overrides, Override{Matcher: Matcher{ID: "byName", Options: keys[0].title}, Properties: []Property{{"links", l.links}}})
	}
	b.place(w, h, Panel{
		Type: "table", Title: title, Description: description, Links: b.links(l),
		FieldConfig:     &FieldConfig{Defaults: defaults, Overrides: overrides(l)},
		Options:         TableOptions{ShowHeader: true, CellHeight: "sm", SortBy: []SortBy{{DisplayName: sortBy, Desc: true}}},
		Targets:         targets(lines, "table", false),
		Transformations: []Transformation{{ID: "merge", Options: struct{}{}}, {ID: "organize", Options: organize}},
	})
}

func (b *board) defaults(l look, color string) FieldDefaults {
	d := FieldDefaults{Unit: l.unit, Decimals: l.decimals, Max: l.max, Color: &Color{Mode: color}, Mappings: l.mappings}
	if len(l.thresholds) > 0 {
		d.Thresholds = &Thresholds{Mode: "absolute", Steps: l.thresholds}
	}
	return d
}

func (b *board) links(l look) []Link {
	if l.runbook == "" {
		return nil
	}
	return b.runbook(l.runbook)
}

func overrides(l look) []Override {
	if l.overrides == nil {
		return []Override{}
	}
	return l.overrides
}
