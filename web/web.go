// Package web answers one question: what did `make web` build for the browser?
package web

import (
	"embed"
	"io/fs"
)

//go:embed dist
var dist embed.FS

// Dist returns the built pages: index.html, and what it names under assets, each
// file packed by gzip under its name with .gz after it. Where nobody has built
// them there is no index.html.
func Dist() fs.FS {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // it is a valid path
	}
	return built
}
