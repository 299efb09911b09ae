package dashboards

// The part of Grafana's classic dashboard schema that is used here. Names and meanings are Grafana's.

// Dashboard is one dashboard. Encode it with [Dashboard.JSON].
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"` // 1: the crosshair is shared by all panels
	Time          TimeRange   `json:"time"`
	Refresh       string      `json:"refresh"`
	Timezone      string      `json:"timezone"`
	Templating    Templating  `json:"templating"`
	Annotations   Annotations `json:"annotations"`
	Links         []Link      `json:"links"`
	Panels        []Panel     `json:"panels"`
}

// TimeRange is what a dashboard shows when it is opened.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Templating holds the variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is one choice at the top of a dashboard.
type Variable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"` // datasource, query
	Datasource *Datasource `json:"datasource,omitempty"`
	Query      any         `json:"query"` // the kind of a data source, or a VariableQuery
	Definition string      `json:"definition,omitempty"`
	Refresh    int         `json:"refresh,omitempty"` // 2: when the time range changes
	Sort       int         `json:"sort,omitempty"`    // 1: by name
	Multi      bool        `json:"multi"`
	IncludeAll bool        `json:"includeAll"`
	AllValue   string      `json:"allValue,omitempty"`
	Current    *Current    `json:"current,omitempty"`
	Hide       int         `json:"hide"`
}

// VariableQuery asks Prometheus for the values of a label.
type VariableQuery struct {
	QryType int    `json:"qryType"` // 1: the values of a label
	Query   string `json:"query"`
	RefID   string `json:"refId"`
}

// Current is what is chosen when a dashboard is opened.
type Current struct {
	Text  []string `json:"text"`
	Value []string `json:"value"`
}

// Annotations are marks on all panels.
type Annotations struct {
	List []Annotation `json:"list"`
}

// Annotation is a source of marks.
type Annotation struct {
	Name        string     `json:"name"`
	Datasource  Datasource `json:"datasource"`
	Enable      bool       `json:"enable"`
	Hide        bool       `json:"hide"`
	IconColor   string     `json:"iconColor"`
	Expr        string     `json:"expr,omitempty"`
	Step        string     `json:"step,omitempty"`
	TitleFormat string     `json:"titleFormat,omitempty"`
	TextFormat  string     `json:"textFormat,omitempty"`
	TagKeys     string     `json:"tagKeys,omitempty"`
}

// Link leads from a dashboard, or from a panel, to another page.
type Link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"` // link, dashboards
	Tags        []string `json:"tags"`
	URL         string   `json:"url"`
	Icon        string   `json:"icon"`
	Tooltip     string   `json:"tooltip"`
	AsDropdown  bool     `json:"asDropdown"`
	TargetBlank bool     `json:"targetBlank"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
}

// Datasource names where data comes from.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Panel is one picture, or the heading of a row.
type Panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"` // row, timeseries, stat, heatmap, table
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	Datasource      *Datasource      `json:"datasource,omitempty"`
	GridPos         GridPos          `json:"gridPos"`
	Collapsed       *bool            `json:"collapsed,omitempty"` // of a row
	Panels          []Panel          `json:"panels,omitempty"`
	FieldConfig     *FieldConfig     `json:"fieldConfig,omitempty"`
	Options         any              `json:"options,omitempty"`
	Targets         []Target         `json:"targets,omitempty"`
	Links           []Link           `json:"links,omitempty"`
	Transformations []Transformation `json:"transformations,omitempty"`
}

// GridPos is where a panel stands on the grid of 24 columns.
type GridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// Target is one query of a panel.
type Target struct {
	RefID        string      `json:"refId"`
	Datasource   *Datasource `json:"datasource"`
	Expr         string      `json:"expr"`
	LegendFormat string      `json:"legendFormat,omitempty"`
	Format       string      `json:"format"` // time_series, heatmap, table
	Instant      bool        `json:"instant"`
	Range        bool        `json:"range"`
	Exemplar     bool        `json:"exemplar"`
	EditorMode   string      `json:"editorMode"`
}

// FieldConfig says how values look.
type FieldConfig struct {
	Defaults  FieldDefaults `json:"defaults"`
	Overrides []Override    `json:"overrides"`
}

// FieldDefaults hold for all fields of a panel.
type FieldDefaults struct {
	Unit       string      `json:"unit"`
	Decimals   *int        `json:"decimals,omitempty"`
	Min        *float64    `json:"min,omitempty"`
	Max        *float64    `json:"max,omitempty"`
	NoValue    string      `json:"noValue,omitempty"`
	Color      *Color      `json:"color,omitempty"`
	Thresholds *Thresholds `json:"thresholds,omitempty"`
	Mappings   []Mapping   `json:"mappings,omitempty"`
	Custom     any         `json:"custom,omitempty"`
}

// Override changes the fields that it matches.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// Matcher picks fields.
type Matcher struct {
	ID      string `json:"id"` // byName
	Options string `json:"options"`
}

// Property is one property of a field.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// Color is how a field gets its colour.
type Color struct {
	Mode       string `json:"mode"` // thresholds, palette-classic, fixed
	FixedColor string `json:"fixedColor,omitempty"`
}

// Thresholds colour values.
type Thresholds struct {
	Mode  string      `json:"mode"` // absolute
	Steps []Threshold `json:"steps"`
}

// Threshold is the colour from a value upwards; null is the lowest.
type Threshold struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// Mapping shows a text for a value.
type Mapping struct {
	Type    string                  `json:"type"` // value
	Options map[string]MappingValue `json:"options"`
}

// MappingValue is the text for a value.
type MappingValue struct {
	Text  string `json:"text"`
	Color string `json:"color,omitempty"`
	Index int    `json:"index"`
}

// DataLink leads from a value to a page.
type DataLink struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank"`
}

// TimeseriesCustom is how lines are drawn.
type TimeseriesCustom struct {
	DrawStyle       string           `json:"drawStyle"`
	LineWidth       int              `json:"lineWidth"`
	FillOpacity     int              `json:"fillOpacity"`
	ShowPoints      string           `json:"showPoints"`
	SpanNulls       bool             `json:"spanNulls"`
	Stacking        Stacking         `json:"stacking"`
	ThresholdsStyle *ThresholdsStyle `json:"thresholdsStyle,omitempty"`
	AxisSoftMax     *float64         `json:"axisSoftMax,omitempty"` // the axis goes at least so far
}

// Stacking says whether lines stand on each other.
type Stacking struct {
	Mode  string `json:"mode"` // none, normal
	Group string `json:"group"`
}

// ThresholdsStyle says whether thresholds are drawn.
type ThresholdsStyle struct {
	Mode string `json:"mode"` // off, dashed
}

// TimeseriesOptions are the options of a panel of lines.
type TimeseriesOptions struct {
	Legend  Legend  `json:"legend"`
	Tooltip Tooltip `json:"tooltip"`
}

// Legend names the lines.
type Legend struct {
	ShowLegend  bool     `json:"showLegend"`
	DisplayMode string   `json:"displayMode"` // list, table
	Placement   string   `json:"placement"`   // bottom, right
	Calcs       []string `json:"calcs"`
}

// Tooltip tells values under the pointer.
type Tooltip struct {
	Mode string `json:"mode"` // multi
	Sort string `json:"sort"` // desc
}

// StatOptions are the options of a panel of one number.
type StatOptions struct {
	ReduceOptions          ReduceOptions `json:"reduceOptions"`
	Orientation            string        `json:"orientation"`
	TextMode               string        `json:"textMode"`
	ColorMode              string        `json:"colorMode"`
	GraphMode              string        `json:"graphMode"`
	JustifyMode            string        `json:"justifyMode"`
	WideLayout             bool          `json:"wideLayout"`
	ShowPercentChange      bool          `json:"showPercentChange"`
	PercentChangeColorMode string        `json:"percentChangeColorMode"`
}

// ReduceOptions make one number of many.
type ReduceOptions struct {
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
	Values bool     `json:"values"`
}

// HeatmapOptions are the options of a heatmap.
type HeatmapOptions struct {
	Calculate  bool           `json:"calculate"`
	CellGap    int            `json:"cellGap"`
	Color      HeatmapColor   `json:"color"`
	YAxis      HeatmapAxis    `json:"yAxis"`
	Tooltip    HeatmapTooltip `json:"tooltip"`
	Legend     ShowLegend     `json:"legend"`
	Exemplars  HeatmapMarks   `json:"exemplars"`
	CellValues *CellValues    `json:"cellValues,omitempty"`
	ShowValue  string         `json:"showValue"` // auto, never
}

// HeatmapColor is the scale of a heatmap's colours.
type HeatmapColor struct {
	Mode     string  `json:"mode"`
	Scheme   string  `json:"scheme"`
	Scale    string  `json:"scale"`
	Fill     string  `json:"fill"`
	Exponent float64 `json:"exponent"`
	Steps    int     `json:"steps"`
	Reverse  bool    `json:"reverse"`
}

// HeatmapAxis is the axis of buckets.
type HeatmapAxis struct {
	AxisPlacement string `json:"axisPlacement"`
	Unit          string `json:"unit"`
	Reverse       bool   `json:"reverse"`
}

// HeatmapTooltip tells the cell under the pointer.
type HeatmapTooltip struct {
	Mode       string `json:"mode"`
	YHistogram bool   `json:"yHistogram"`
}

// ShowLegend says whether there is a legend.
type ShowLegend struct {
	Show bool `json:"show"`
}

// HeatmapMarks is the colour of exemplars.
type HeatmapMarks struct {
	Color string `json:"color"`
}

// CellValues is the unit of what a cell counts.
type CellValues struct {
	Unit string `json:"unit"`
}

// TableOptions are the options of a table.
type TableOptions struct {
	FrameIndex int      `json:"frameIndex"`
	ShowHeader bool     `json:"showHeader"`
	CellHeight string   `json:"cellHeight"`
	SortBy     []SortBy `json:"sortBy"`
}

// SortBy orders a table.
type SortBy struct {
	DisplayName string `json:"displayName"`
	Desc        bool   `json:"desc"`
}

// TableCustom is how cells look.
type TableCustom struct {
	Align       string      `json:"align"`
	CellOptions CellOptions `json:"cellOptions"`
	Filterable  bool        `json:"filterable"`
}

// CellOptions is the look of a cell.
type CellOptions struct {
	Type string `json:"type"` // auto, color-text
}

// Transformation reworks the answers of all queries.
type Transformation struct {
	ID      string `json:"id"`
	Options any    `json:"options"`
}

// Organize names, orders and hides columns.
type Organize struct {
	ExcludeByName map[string]bool   `json:"excludeByName"`
	IndexByName   map[string]int    `json:"indexByName"`
	RenameByName  map[string]string `json:"renameByName"`
}
