package postgres_test

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
	"github.com/wattgate/wattgate/internal/store/storetest"
)

// TestKilledServers ends all processes of PostgreSQL in the middle of imports,
// with signals that they do not see. All batches that were acknowledged are there
// afterwards, wholly.
func TestKilledServers(t *testing.T) {
	const kills = 6
	server := postgrestest.Durable(t)
	address := server.URL(t)
	o := postgres.Options{Now: time.Now}
	chance := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	begun := time.Now()
	var c storetest.Crash
	for range kills {
		importUntil(t, address, &c, 1+chance.IntN(60), func() {
			victims, err := processes(t.Context(), address)
			if err != nil {
				t.Error(err)
			}
			for _, pid := range victims {
				if p, err := os.FindProcess(pid); err == nil {
					_ = p.Kill() // it may be gone
				}
			}
			server.Crash() // nothing is left of it to see this
		})
		restart(t, server)
		s := open(t, address, o)
		c.Check(t, s, time.Now)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			break
		}
	}
	t.Logf("%d kills in %v: %d batches acknowledged, %d lost, %d torn, %d stored and not acknowledged any more",
		kills, time.Since(begun), c.Taken, c.Lost, c.Torn, c.Silent)
	if c.Taken < kills {
		t.Errorf("got %d batches acknowledged before %d kills", c.Taken, kills)
	}
}

// importUntil imports until so many batches are acknowledged, kills the server
// then and stops once the store has noticed.
func importUntil(t *testing.T, address string, c *storetest.Crash, batches int, kill func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := open(t, address, postgres.Options{Now: time.Now})
	says, hears := io.Pipe()
	go func() {
		_ = hears.CloseWithError(storetest.Send(ctx, s, time.Now, c.From(), hears)) // always nil
	}()
	var killer sync.WaitGroup
	c.Listen(t, says, func(line string) {
		refused := strings.HasPrefix(line, "refused")
		if refused && batches > 0 {
			t.Errorf("got %q while the server was well", line)
		}
		if batches--; batches == 0 {
			killer.Go(kill)
		}
		if refused {
			cancel()
		}
	})
	killer.Wait()
	if err := s.Close(); err != nil {
		t.Logf("close the store of a dead server: %v", err)
	}
}

// processes lists those of a server: the first, and all that it has started.
func processes(ctx context.Context, address string) ([]int, error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing was written
	var folder string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&folder); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "postmaster.pid"))
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	first, err := strconv.Atoi(line)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, "SELECT pid FROM pg_stat_activity")
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[int])
	return append([]int{first}, list...), err
}

// restart starts the server again. It refuses to for as long as one of its
// processes has not noticed that the first one is dead.
func restart(t *testing.T, server *postgrestest.Cluster) {
	t.Helper()
	for range 50 {
		err := server.Start()
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "shared memory") {
			t.Fatal(err)
		}
		<-time.After(100 * time.Millisecond)
	}
	t.Fatal("PostgreSQL did not start again within 50 attempts")
}
