package sqlite

import (
	"slices"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
)

// homes are the properties, with their channels, that partners' applications have
// asked for last, in memory: whoever reads a day of half hours would spend more on
// finding them than on the readings. The partner is part of the question, as it is
// part of the predicate. What a customer or a consent narrows is asked of the file.
//
// They follow the file: triggers of the connection that writes count the changes
// of the three tables, and after every transaction of ours that changed one of
// them, or that finds that somebody else has written, all are forgotten before
// anybody hears that it is done.
type homes struct {
	mu      sync.RWMutex
	on      bool
	version uint64 // grows with every change
	of      map[homeKey]home
	counted int64 // what the triggers had counted
	foreign int64 // and what others had written
}

type homeKey struct {
	partner  domain.PartnerID
	property domain.PropertyID
}

type home struct {
	property *domain.Property
	channels []domain.Channel // nil: not known
}

// maxHomes bounds how many are kept: some 4 MB.
const maxHomes = 4096

// watch makes the triggers. They belong to the connection and are not in the file.
func (h *homes) watch(conn *sqlite.Conn) error {
	err := run(conn, "CREATE TEMP TABLE home_changed (count INTEGER NOT NULL)")
	if err == nil {
		err = run(conn, "INSERT INTO temp.home_changed VALUES (0)")
	}
	for _, table := range []string{"property", "supply_point", "channel"} {
		for _, change := range []string{"INSERT", "UPDATE", "DELETE"} {
			if err == nil {
				err = run(conn, "CREATE TEMP TRIGGER home_"+table+"_"+change+" AFTER "+change+" ON main."+table+
					" BEGIN UPDATE home_changed SET count = count + 1; END")
			}
		}
	}
	if err == nil {
		h.counted, h.foreign, err = h.look(conn)
	}
	h.on = err == nil
	return err
}

// look asks the connection that writes what has changed.
func (h *homes) look(conn *sqlite.Conn) (counted, foreign int64, err error) {
	const sql = `SELECT home_changed.count, data_version FROM temp.home_changed, pragma_data_version`
	pair, err := one(conn, "the changes of properties", func(row *sqlite.Stmt) ([2]int64, error) {
		return [2]int64{row.ColumnInt64(0), row.ColumnInt64(1)}, nil
	}, sql)
	return pair[0], pair[1], err
}

// follow forgets everything where something has changed, and where nobody knows.
func (h *homes) follow(conn *sqlite.Conn) {
	if !h.on { // it never changes again
		return
	}
	counted, foreign, err := h.look(conn)
	if err == nil && counted == h.counted && foreign == h.foreign {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counted, h.foreign = counted, foreign
	h.version++
	clear(h.of)
	if err != nil {
		h.counted = -1 // and again the next time
	}
}

// find returns what is known of a property, and the version to give to put with
// what is read of it from now on. ok is false where the scope has to be asked of
// the file.
func (h *homes) find(scope domain.Scope, id domain.PropertyID) (known home, version uint64, ok bool) {
	if scope.User != "" || scope.Application != "" || scope.Partner == "" {
		return home{}, 0, false
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.of[homeKey{scope.Partner, id}], h.version, h.on
}

// put keeps what was read of a property, unless something has changed since.
func (h *homes) put(scope domain.Scope, id domain.PropertyID, version uint64, read home) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if version != h.version {
		return
	}
	if h.of == nil {
		h.of = map[homeKey]home{}
	}
	key := homeKey{scope.Partner, id}
	known, there := h.of[key]
	if !there && len(h.of) >= maxHomes {
		clear(h.of) // whoever is asked for again is soon back
	}
	if read.property == nil {
		read.property = known.property
	}
	if read.channels == nil {
		read.channels = known.channels
	}
	h.of[key] = read
}

// shown returns copies that the caller may change.
func (h home) shown() (p domain.Property, channels []domain.Channel) {
	if h.property != nil {
		p = *h.property
		p.Address = slices.Clone(p.Address)
	}
	return p, slices.Clone(h.channels)
}
