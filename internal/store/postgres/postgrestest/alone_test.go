package postgrestest_test

import (
	"errors"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// TestAloneEndsWithItsDatabases: it keeps what it has acknowledged, and is gone
// when it is closed.
func TestAloneEndsWithItsDatabases(t *testing.T) {
	c, err := postgrestest.Alone()
	if postgrestest.Absent(err) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	first, err := c.Create()
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Create()
	if err != nil || first == second {
		t.Fatalf("got %s twice (%v), want two databases", second, err)
	}
	var fsync string
	for _, address := range []string{first, second} {
		if ask(t, address, "SHOW fsync", &fsync); fsync != "on" {
			t.Errorf("%s: fsync is %s, want on", address, fsync)
		}
	}
	if c.PID() < 2 {
		t.Errorf("got process %d, want the server's", c.PID())
	}
	c.Close()
	if conn, err := pgx.Connect(t.Context(), first); err == nil {
		_ = conn.Close(t.Context()) // the failure is told next
		t.Errorf("%s answers after Close", first)
	}
}

func TestAbsentIsOneErrorOnly(t *testing.T) {
	if postgrestest.Absent(nil) || postgrestest.Absent(errors.New("it does not start")) {
		t.Error("no error and another one count as absent")
	}
}
