package meterfile_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/meterfile"
)

// endless is a file of a head, many parts that are made while it is read, and
// a tail: too long to be held by accident.
type endless struct {
	head, tail string
	part       func(i int) string
	parts      int

	next int // -1: the head
	rest string
}

func (e *endless) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekStart {
		return 0, io.ErrNoProgress
	}
	e.next, e.rest = 0, e.head
	return 0, nil
}

func (e *endless) Read(p []byte) (int, error) {
	for e.rest == "" {
		switch {
		case e.next < e.parts:
			e.rest = e.part(e.next)
		case e.next == e.parts:
			e.rest = e.tail
		default:
			return 0, io.EOF
		}
		e.next++
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// TestMemory reads files of some 20 MB and looks at the heap meanwhile.
func TestMemory(t *testing.T) {
	const most = 4 << 20
	day := strings.Repeat(",0.125", 288)
	full := telegram(dsmrVersion, dsmrTime, dsmrMeter, dsmrLow, dsmrGas)
	tests := map[string]*endless{
		"NEM12": {head: "100,NEM12,202403030900,A,B\n", tail: "900\n", parts: 10_000, part: func(i int) string {
			return fmt.Sprintf("200,NMI%d,E1,1,E1,,M,kWh,5,\n300,%d%s,A,,,,\n", i/1000, 20000101+i%28+i/28%12*100+i/336%100*10000, day)
		}},
		"CSV of many channels": {head: csvHead, parts: 200_000, part: func(i int) string {
			return fmt.Sprintf("NLD_ELECTRICITY:%d,1,CONSUMPTION,2024-06-01T00:00:00+02:00,2024-05-31T22:00:00Z,15,0.125,kwh,ACTUAL\n", i)
		}},
		"NDJSON of one channel": {parts: 100_000, part: func(i int) string {
			return ndjsonInterval(fmt.Sprintf("2024-06-%02dT00:00:00Z", i%30+1), fmt.Sprintf("2024-06-%02dT00:15:00Z", i%30+1), "0.125")
		}},
		"NEM13": {head: nem13Head, tail: "900\n", parts: 100_000, part: func(i int) string {
			return nem13Record("E", "1,20240101000000,A,,", "1,20240201000000,A,,", "1,kWh,,,")
		}},
		"CDR of years": {head: `{"data":{"reads":[`, tail: "]}}", parts: 120, part: func(i int) string {
			return strings.Repeat(",", min(i, 1)) + cdrRead("E1", `"readEndDate":"2025-03-01",`, numbers(366*48, "0.125"))
		}},
		"telegrams": {parts: 20_000, part: func(int) string { return full }},
		"one block of ESPI": {
			head: "<feed><entry><id>a</id><UsagePoint><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint></entry><entry><id>1</id><MeterReading/></entry>" +
				"<ReadingType><uom>72</uom></ReadingType><IntervalBlock>", tail: "</IntervalBlock></feed>", parts: 100_000,
			part: func(i int) string { return reading(i*900, 900, "12345") },
		},
		"many blocks of ESPI": {
			head: "<feed><entry><id>a</id><UsagePoint><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint></entry><entry><link rel='self' href='M/1'/><MeterReading/></entry>" +
				"<ReadingType><uom>72</uom></ReadingType>", tail: "</feed>", parts: 50_000,
			part: func(i int) string {
				return fmt.Sprintf("<entry><link rel='self' href='M/1/IntervalBlock/%d'/><link rel='up' href='M/1/IntervalBlock'/><IntervalBlock>%s</IntervalBlock></entry>", i, reading(i*900, 900, "12345"))
			},
		},
	}
	for name, file := range tests {
		t.Run(name, func(t *testing.T) {
			heap := func() uint64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			if _, err := file.Seek(0, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			before, highest, blocks := heap(), uint64(0), 0
			err := meterfile.Read("f", file, func(b *meterfile.Block) error {
				if blocks++; blocks%3_000 == 60 || blocks == 1 {
					highest = max(highest, heap())
				}
				return nil
			})
			if err != nil || highest == 0 || highest > before+most {
				t.Errorf("got error %v and a heap of %d bytes after %d before, want none and at most %d more", err, highest, before, most)
			}
		})
	}
}
