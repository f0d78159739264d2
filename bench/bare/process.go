package bare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Order is what a server process reads from its standard input, as JSON.
type Order struct {
	Shape *Shape // nil: the server without a signature
	Page  *Page  // not nil: the server that appends it
}

// Serve is the life of a server process: it reads an Order from in, listens on
// a free port of 127.0.0.1, writes the address and a newline to out, and serves
// until in ends. A parent that dies takes it along, however it dies.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	var order Order
	decoder := json.NewDecoder(in)
	if err := decoder.Decode(&order); err != nil {
		return fmt.Errorf("bare: order: %w", err)
	}
	handler := Plain()
	if order.Shape != nil {
		signing, err := Signing(*order.Shape)
		if err != nil {
			return err
		}
		handler = signing
	}
	if order.Page != nil {
		appending, err := Appending(*order.Page)
		if err != nil {
			return err
		}
		handler = appending
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("bare: %w", err)
	}
	server := &http.Server{Handler: handler}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return errors.Join(err, server.Close())
	}
	_, waitErr := io.Copy(io.Discard, in)
	closeErr := server.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("bare: %w", err)
	}
	return errors.Join(waitErr, closeErr)
}
