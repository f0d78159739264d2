package meter

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Limits are what the machine could do at all.
type Limits struct {
	Disk   float64 // bytes a second written one after the other, and synchronised
	Sync   Latency // of writing and synchronising 8 KiB
	Memory float64 // bytes a second copied by one core
}

const (
	block = 1 << 20
	page  = 8 << 10
	syncs = 100
	// passes is how often the large write is measured, for a median: disks that
	// others share scatter.
	passes = 3
)

func limits(folder string, disk, memory int) (l Limits, err error) {
	f, err := os.Create(filepath.Join(folder, "limits"))
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	var rates [passes]float64
	for i := range rates {
		if rates[i], err = written(f, disk); err != nil {
			return l, err
		}
	}
	slices.Sort(rates[:])
	l.Disk = rates[passes/2]
	l.Sync, err = latency(syncs, 0, func(i int) error {
		if _, err := f.WriteAt(make([]byte, page), int64(i*page)); err != nil {
			return err
		}
		return f.Sync()
	})
	l.Memory = copied(memory)
	return l, err
}

// written is the rate of a large write.
func written(f *os.File, size int) (float64, error) {
	data := make([]byte, block)
	for i := range data {
		data[i] = byte(i * i >> 7) // nothing that a disk could leave out
	}
	begin := time.Now()
	for range size / block {
		if _, err := f.Write(data); err != nil {
			return 0, err
		}
	}
	err := f.Sync()
	return float64(size) / time.Since(begin).Seconds(), err
}

// copied is the rate of copies that no cache holds.
func copied(size int) float64 {
	const times = 8
	from, to := make([]byte, size), make([]byte, size)
	copy(to, from) // the system gives the memory out by then
	begin := time.Now()
	for range times {
		copy(to, from)
	}
	return times * float64(size) / time.Since(begin).Seconds()
}
