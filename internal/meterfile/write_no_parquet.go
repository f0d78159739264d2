//go:build !parquet

package meterfile

import (
	"io"

	"github.com/wattgate/wattgate/internal/domain"
)

const parquetBuilt = false

func newParquetWriter(io.Writer, Export) (Writer, error) {
	return nil, &domain.Error{Kind: domain.Invalid, Public: "this program was built without parquet, which makes it larger by a quarter: take csv, or build it with -tags parquet"}
}
