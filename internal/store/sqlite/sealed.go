package sqlite

import (
	"zombiezen.com/go/sqlite"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// sealedDay is a day with all that a store knows of it.
type sealedDay interval.SealedDay

func (d sealedDay) day() domain.Day {
	return domain.Day{Date: d.Date, Revision: d.Revision, RecordedAt: instant(d.RecordedAt), Data: d.Data}
}

// monthReader reads the sealed months of channels, one at a time, and remembers
// the last one within a transaction.
type monthReader struct {
	channel domain.ChannelID
	month   domain.Date
	there   bool // what was looked for last was found
	looked  bool
	blob    []byte
	sealed  interval.SealedMonth
	data    []byte
}

// find looks up the month that a date lies in.
func (m *monthReader) find(conn *sqlite.Conn, channel domain.ChannelID, date domain.Date) error {
	first, _ := interval.MonthOf(date)
	if m.looked && m.channel == channel && m.month == first {
		return nil
	}
	m.looked = false
	stmt, err := conn.Prepare(`SELECT month, data FROM seal WHERE ch = ?1 AND month = ?2`)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, int64(channel))
	stmt.BindInt64(2, int64(first))
	ok, err := stmt.Step()
	if err != nil {
		return err
	}
	if ok {
		err = m.open(stmt)
	}
	m.channel, m.month, m.there, m.looked = channel, first, ok, err == nil
	return errorOf(err, stmt)
}

// open takes the month of a row with the columns month and data.
func (m *monthReader) open(row *sqlite.Stmt) error {
	m.month = domain.Date(row.ColumnInt32(0))
	m.blob = column(row, 1, m.blob)
	return stored(m.sealed.Open(m.blob))
}

// day returns a day of the month that was looked up; Revision is 0 where there is none.
// Its data is valid until the next call.
func (m *monthReader) day(date domain.Date) sealedDay {
	i, ok := m.sealed.Find(date)
	if !m.there || !ok {
		return sealedDay{Date: date}
	}
	return m.at(i)
}

// at returns day i of the month that was opened.
func (m *monthReader) at(i int) sealedDay {
	d := m.sealed.Head(i)
	m.data = m.sealed.AppendDay(m.data[:0], i)
	d.Data = m.data
	return sealedDay(d)
}

// column copies a blob into buf, or a larger one.
func column(row *sqlite.Stmt, i int, buf []byte) []byte {
	n := row.ColumnLen(i)
	if n > cap(buf) {
		buf = make([]byte, n, 2*n)
	}
	buf = buf[:n]
	row.ColumnBytes(i, buf)
	return buf
}
