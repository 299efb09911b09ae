// Package dashboards makes Grafana dashboards of the catalogue of metrics: [Overview], [Queue], [WorkflowAndStep] and
// [EngineAndDatabase]. The JSON files beside this file are what it makes with the zero Options, to be imported or
// provisioned as they are; `stent dashboards --out DIR` makes others.
//
// The JSON is Grafana's classic schema, as Grafana 10 to 13 read it. A dashboard asks for its data source by a variable,
// so it fits any Grafana, and its uid never changes, so importing it again updates it.
package dashboards
