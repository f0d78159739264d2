package postgrestest

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Alone starts a server that keeps what it has acknowledged, for whoever is no
// test, such as a measurement, and ends it with [Cluster.Close].
func Alone() (*Cluster, error) { return start() }

// Absent reports whether an error says that PostgreSQL is not installed.
func Absent(err error) bool { return errors.Is(err, errAbsent) }

// Close ends the server; its databases are gone.
func (c *Cluster) Close() { c.stop() }

// Create makes a new and empty database, and returns its address.
func (c *Cluster) Create() (string, error) {
	name := fmt.Sprintf("wattgate_%d", databases.Add(1))
	err := c.exec("CREATE DATABASE " + pgx.Identifier{name}.Sanitize() + " TEMPLATE template0 ENCODING 'UTF8'")
	return With(c.admin, "dbname", name), err
}

// PID is the number of the server's first process; the others are its children.
func (c *Cluster) PID() int { return c.server.running.Pid }
