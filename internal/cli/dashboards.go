package cli

import (
	"github.com/spf13/cobra"

	"github.com/stentgo/stent/dashboards"
)

func (a *app) dashboardsCommand() *cobra.Command {
	var (
		out  string
		keep keepFlag
		o    dashboards.Options
	)
	cmd := &cobra.Command{
		Use:   "dashboards",
		Short: "Write Grafana dashboards",
		Long: `Write Grafana dashboards, one file each: overview, queue, workflow and step, engine and database. Import them, or
provision them as they are; they ask for their data source by a variable. Grafana 10 and later reads them.`,
		Example: `  stent dashboards --out grafana/dashboards
  stent dashboards --out grafana/dashboards --keep cluster,namespace
  stent dashboards --out grafana/dashboards --keep none     one database only`,
		Args: arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			o.Keep = keep.labels()
			files := map[string][]byte{}
			for name, d := range dashboards.All(o) {
				files["stent-"+name] = d.JSON()
			}
			return a.writeFiles(out, files)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&out, "out", "", "the `folder` to write to; it is made if it is missing")
	flags.Var(&keep, "keep", "the `labels` that tell one database from another, separated by commas, or none (default namespace)")
	flags.BoolVar(&o.Native, "native", false, "ask for native histograms")
	flags.StringVar(&o.UIDPrefix, "uid-prefix", "", "what the `uid` of each dashboard begins with (default stent-)")
	flags.StringVar(&o.RunbookURL, "runbook-url", "", "the `address` of the folder of runbooks (default on GitHub)")
	return cmd
}
