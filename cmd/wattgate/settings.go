package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wattgate/wattgate/internal/app"
)

// settingFlags gives a command a flag for each of the named settings; none
// named means all.
func settingFlags(cmd *cobra.Command, names ...string) {
	flags := cmd.Flags()
	flags.String("config", "", "configuration file with lines of a name, a colon and a value; default: wattgate.yaml in the data folder")
	for _, s := range app.Settings {
		if len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		if s.Boolean() {
			flags.Bool(s.Name, s.Default == "true", s.Help)
		} else {
			flags.String(s.Name, s.Default, s.Help)
		}
	}
}

// configuration reads the settings: a flag wins over a variable, that over the
// file, and that over the default.
func configuration(cmd *cobra.Command, w world) (*app.Config, error) {
	given := map[string]string{}
	cmd.Flags().Visit(func(f *pflag.Flag) { given[f.Name] = f.Value.String() })
	file := given["config"]
	if file == "" {
		file, _ = w.env("WATTGATE_CONFIG")
	}
	if file == "" {
		file = configInData(given, w)
	}
	c, err := app.Load(app.Sources{Flags: given, Environment: w.env, File: file})
	if err != nil {
		return c, usageError{err}
	}
	return c, nil
}

// configInData returns the configuration file in the data folder, if it is there.
func configInData(given map[string]string, w world) string {
	dir, ok := given["data"]
	if !ok {
		if dir, ok = w.env("WATTGATE_DATA"); !ok {
			dir = app.Settings[0].Default
		}
	}
	path := filepath.Join(dir, "wattgate.yaml")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}
