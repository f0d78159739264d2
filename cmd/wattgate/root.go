package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/oauth"
)

// Exit codes, as scripts rely on them.
const (
	exitFailure    = 1
	exitUsage      = 2
	exitNotAllowed = 3
	exitNotFound   = 4
	exitThrottled  = 5
)

func rootCommand(w world) *cobra.Command {
	root := &cobra.Command{
		Use:           "wattgate",
		Short:         "Decide who may read a meter, and for how long",
		Long:          "Wattgate is an OAuth 2.0 server and a measurements API for energy retailers.\n\nStart with: wattgate demo",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		serveCommand(w), demoCommand(w), configCommand(w), importCommand(w), exportCommand(w),
		partnerCommand(w), userCommand(w), propertyCommand(w), appCommand(w), roleCommand(w), auditCommand(w), consentCommand(w), keysCommand(w), dbCommand(w), backupCommand(w), versionCommand(w),
	)
	usage(root)
	return root
}

// usage makes every command's complaint about its arguments a usage error.
func usage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		usage(c)
	}
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return usageError{fmt.Errorf("%s needs one of its commands; see wattgate %s --help", cmd.Name(), cmd.Name())}
	}}
	c.AddCommand(commands...)
	return c
}

func versionCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				version = info.Main.Version
			}
			_, err := fmt.Fprintf(w.out, "wattgate %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// usageError is a mistake in how a command was called.
type usageError struct{ error }

// Unwrap returns the mistake.
func (e usageError) Unwrap() error { return e.error }

// explain prints what went wrong and what to do next, and returns the exit code.
func explain(w io.Writer, err error) int {
	_, _ = fmt.Fprintf(w, "wattgate: error: %v\n", err) // nobody is left to tell
	code, hint := exitFailure, ""
	if e, ok := errors.AsType[*domain.Error](err); ok {
		switch e.Kind {
		case domain.NotFound:
			code = exitNotFound
		case domain.Forbidden, domain.Unauthenticated:
			code = exitNotAllowed
		case domain.Throttled:
			code, hint = exitThrottled, "wait a little, then try again"
		case domain.Internal, domain.Invalid, domain.Conflict, domain.Unavailable:
		}
	}
	if e, ok := errors.AsType[*oauth.Error](err); ok && e.Code == oauth.InvalidClient {
		code = exitNotAllowed
	}
	if _, ok := errors.AsType[fileError](err); ok {
		code = exitFailure
	}
	if _, ok := errors.AsType[usageError](err); ok {
		code, hint = exitUsage, "see --help"
	}
	if errors.Is(err, app.ErrBusy) {
		hint = "the server that has it open answers on its admin socket; is it just starting or stopping?"
	}
	if hint != "" {
		_, _ = fmt.Fprintf(w, "wattgate: hint: %s\n", hint) // nobody is left to tell
	}
	return code
}
