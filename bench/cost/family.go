package cost

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Family is what a process and its children have used: processor time, that of
// the children it has waited for too, and bytes written to the disk. What a child
// that is gone has written is not known any more.
func Family(pid int) (cpu time.Duration, written int64, err error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return 0, 0, errors.Join(errors.New("cost: no process accounting"), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(file))) // the pattern is digits
		parent, waited, err := ParseParent(text)
		if err != nil {
			return 0, 0, err
		}
		if id != pid && parent != pid {
			continue
		}
		own, err := ParseStat(text)
		if err != nil {
			return 0, 0, err
		}
		cpu += own
		if id == pid {
			cpu += waited
		}
		bytes, err := Written(id)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, 0, err
		}
		written += bytes
	}
	return cpu, written, nil
}

// ParseParent reads the parent, field 4 of proc_pid_stat(5), and the processor
// time of children that were waited for, fields 16 and 17.
func ParseParent(text []byte) (parent int, waited time.Duration, err error) {
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return 0, 0, errors.New("cost: stat has no program name")
	}
	fields := bytes.Fields(text[end+1:]) // from field 3, the state
	if len(fields) < 15 {
		return 0, 0, fmt.Errorf("cost: stat has %d fields after the name, want 15 or more", len(fields))
	}
	if parent, err = strconv.Atoi(string(fields[1])); err != nil {
		return 0, 0, fmt.Errorf("cost: stat: %w", err)
	}
	for _, field := range fields[13:15] {
		n, err := strconv.ParseUint(string(field), 10, 40)
		if err != nil {
			return 0, 0, fmt.Errorf("cost: stat: %w", err)
		}
		waited += time.Duration(n) * tick
	}
	return parent, waited, nil
}
