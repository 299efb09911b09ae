package cli

import (
	"context"
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

func (a *app) openPostgres(_ context.Context, d database, _ purpose) (backend.Backend, error) {
	return nil, fmt.Errorf("%s: no PostgreSQL in this build", d.name)
}
