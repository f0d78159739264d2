package app

import (
	"context"
	"net/http"

	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/store"
)

// OpenKeys opens the signing keys without serving.
func (a *App) OpenKeys(ctx context.Context) error { return a.openKeys(ctx) }

// Handler wires the hosts as Serve does.
func (a *App) Handler(urls URLs) (http.Handler, error) { return a.hosts(urls, newMeasures().observe) }

// Tables builds the tables of contents of all hosts, as Serve does.
func (a *App) Tables(urls URLs) ([]*server.Host, error) {
	authHost, customerHost, pages, err := a.tables(urls)
	if err != nil {
		return nil, err
	}
	front := &server.Host{Name: "front", Routes: []server.Route{pages.Front()}}
	return []*server.Host{authHost, customerHost, pages.Table(), pages.Everywhere(), front}, nil
}

// Hear takes in what other nodes change, as Serve does.
func (a *App) Hear(ctx context.Context) error { return a.hear(ctx) }

// Flush stores what is counted, as Serve does now and then.
func (a *App) Flush(ctx context.Context) error { return a.flush(ctx) }

// Engine returns the store.
func (a *App) Engine() store.Engine { return a.store }

// Trouble is what the store says of its log.
func (a *App) Trouble(err error) { a.trouble(err) }

// Operator answers an operator's own tools.
func (a *App) Operator() http.Handler { return a.operator(newMeasures()) }
