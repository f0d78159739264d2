package app

import (
	"context"

	"github.com/wattgate/wattgate/internal/webhook"
)

// NewSender sends deliveries as the program does.
func NewSender(n webhook.Networks) webhook.Sender { return newWebhookSender(n) }

// Follow says when something may be new.
func (a *App) Follow() (<-chan struct{}, func()) { return a.news.Follow() }

// SpreadNews tells the other nodes and hears of them, as Serve does.
func (a *App) SpreadNews(ctx context.Context) error { return a.spreadNews(ctx) }

// Deliver sends what web hooks are to be told, as Serve does.
func (a *App) Deliver(ctx context.Context) error { return a.deliver(ctx, a.deliverer()) }

// Webhooks keeps the web hooks of applications.
func (a *App) Webhooks() *webhook.Manager { return a.webhooks() }
