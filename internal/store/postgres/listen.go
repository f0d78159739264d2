package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// channelName is where nodes tell each other that something has changed. What it
// was is read from the tables: a notice may get lost with its connection, and is
// no one's word for anything.
const channelName = "wattgate"

// readingsName is the same for readings, which come much more often.
const readingsName = "wattgate_readings"

// How often a silent connection is asked whether it still is one, how long it may
// take to answer, and the longest pause between two attempts to get another.
const (
	quiet      = 15 * time.Second
	maxAnswer  = 5 * time.Second
	longPause  = 2 * time.Second
	shortPause = 50 * time.Millisecond
)

// notify is part of a change: those who listen hear of it when it is committed.
// Several of them in one transaction are one notice.
func notify(ctx context.Context, c conn) error {
	return run(ctx, c, `SELECT pg_notify($1, '')`, channelName)
}

// tell is notify, and whoever asks for [Store.News] finds out as well.
func tell(ctx context.Context, c conn) error {
	return run(ctx, c, `WITH told AS (UPDATE news SET n = n + 1 WHERE id = 1 RETURNING n) SELECT pg_notify($1, '') FROM told`, channelName)
}

// announce is part of a transaction that has changes of this loudness.
func (l loudness) announce(ctx context.Context, c conn) error {
	switch l {
	case loudNews:
		return tell(ctx, c)
	case noticed:
		return notify(ctx, c)
	}
	return nil
}

// Listen calls heard whenever a node, this one too, may have changed what nodes
// keep in memory: after each notice, and after every new connection, because
// nobody knows what was missed before. It returns when ctx ends, with its error.
func (s *Store) Listen(ctx context.Context, heard func()) error {
	return s.listenTo(ctx, channelName, heard)
}

// TellReadings tells the other nodes that there may be new readings.
func (s *Store) TellReadings(ctx context.Context) error {
	return s.readNews(ctx, "tell of readings", func(ctx context.Context, c conn) error {
		return run(ctx, c, `SELECT pg_notify($1, '')`, readingsName)
	})
}

// ListenReadings calls heard whenever a node, this one too, may have taken in
// readings, as [Store.Listen] does.
func (s *Store) ListenReadings(ctx context.Context, heard func()) error {
	return s.listenTo(ctx, readingsName, heard)
}

func (s *Store) listenTo(ctx context.Context, channel string, heard func()) error {
	pause := shortPause
	for ctx.Err() == nil {
		since := time.Now()
		_ = s.listen(ctx, channel, heard) // whatever it was: once more
		if time.Since(since) > quiet {
			pause = shortPause
		}
		rest(ctx, pause)
		pause = min(2*pause, longPause)
	}
	return ctx.Err()
}

// listen does so for as long as one connection lives.
func (s *Store) listen(ctx context.Context, channel string, heard func()) error {
	c, err := pgx.ConnectConfig(ctx, s.news.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }() // its end is what is wanted
	if err := run(ctx, c, "LISTEN "+channel); err != nil {
		return err
	}
	for {
		heard()
		if err := nextNotice(ctx, c); err != nil {
			return err
		}
	}
}

// nextNotice waits for a notice. A connection whose other end is gone without a
// word would wait forever, so that it is asked from time to time.
func nextNotice(ctx context.Context, c *pgx.Conn) error {
	for {
		waiting, cancel := context.WithTimeout(ctx, quiet)
		_, err := c.WaitForNotification(waiting)
		timeout := waiting.Err() != nil
		cancel()
		if err == nil || !timeout || ctx.Err() != nil || c.IsClosed() {
			return err
		}
		asking, cancel := context.WithTimeout(ctx, maxAnswer)
		err = c.Ping(asking)
		cancel()
		if err != nil {
			return err
		}
	}
}
