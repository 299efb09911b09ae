package postgres

// Option is a choice at [Open] and [New].
type Option func(*options)

type options struct {
	schema     string
	mustExist  bool
	noMigrate  bool
	notify     bool
	bouncer    bool
	committers int
}

func defaults() options { return options{schema: "stent", notify: true, committers: 2} }

// Schema is where everything is kept. The default is "stent". Several schemas of one database do not know of each other.
func Schema(name string) Option { return func(o *options) { o.schema = name } }

// MustExist makes it an error if the schema is not there. Without it, Open makes it.
func MustExist() Option { return func(o *options) { o.mustExist = true } }

// NoMigrate makes it [backend.ErrSchemaOld] if the schema is older than this program. Without it, Open migrates it.
func NoMigrate() Option { return func(o *options) { o.noMigrate = true } }

// Notify chooses whether programs tell each other of what they wrote, with LISTEN and NOTIFY, so that nobody needs to
// poll. The default is true. It takes one connection more while somebody watches.
func Notify(on bool) Option { return func(o *options) { o.notify = on } }

// PgBouncer is for a database behind a pooler in transaction mode: statements are not prepared under a name, and
// [Notify] is false. A pool that is given to [New] must have a default_query_exec_mode of its own that suits the pooler,
// such as cache_describe.
func PgBouncer() Option {
	return func(o *options) { o.bouncer, o.notify = true, false }
}

// Committers is how many transactions an engine writes at once. The default is 2, which measured best; more than 4 are
// often slower, since fewer commands then share a commit.
func Committers(n int) Option { return func(o *options) { o.committers = max(n, 1) } }
