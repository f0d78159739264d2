package app

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// DatabaseView is what db status shows.
type DatabaseView struct {
	Engine      string   `json:"engine"`   // sqlite or postgres
	Database    string   `json:"database"` // the file, or the URL without its password
	Server      string   `json:"server,omitempty"`
	Version     int      `json:"version"` // migrations it has seen
	Known       int      `json:"known"`   // those of this program
	Pending     []string `json:"pending"` // what serve would run at its start
	Bytes       int64    `json:"bytes"`
	Distributed bool     `json:"distributed"`
}

// InspectDatabase looks at the configured database and changes nothing, whether
// a server is running or not.
func InspectDatabase(ctx context.Context, c *Config) (v DatabaseView, err error) {
	if c.Database != "" {
		st, err := postgres.Inspect(ctx, c.Database)
		if err != nil {
			return v, err
		}
		v = DatabaseView{
			Engine: "postgres", Database: redacted(c.Database), Server: st.Server,
			Version: st.Version, Known: st.Known, Bytes: st.Bytes, Distributed: st.Distributed,
		}
		v.Pending, err = postgres.Pending(st.Version)
		return v, err
	}
	path := filepath.Join(c.Data, databaseName)
	st, err := sqlite.Inspect(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return v, &domain.Error{Kind: domain.NotFound, Public: c.Data + " holds no installation", Err: err}
	}
	if err != nil {
		return v, err
	}
	v = DatabaseView{Engine: "sqlite", Database: path, Version: st.Version, Known: st.Known, Bytes: st.Bytes}
	v.Pending, err = sqlite.Pending(st.Version)
	return v, err
}

// DistributeDatabase spreads the measurements over the machines of Citus.
func (a *App) DistributeDatabase(ctx context.Context) ([]string, error) {
	engine, ok := a.store.(*postgres.Store)
	if !ok {
		return nil, &domain.Error{Kind: domain.Invalid, Public: "only a PostgreSQL database can be distributed: name it with --database"}
	}
	return engine.Distribute(ctx)
}
