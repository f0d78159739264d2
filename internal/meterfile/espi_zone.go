package meterfile

import (
	"fmt"
	"strconv"
	"strings"
)

// zones are the zones of North America with summer time, by their standard
// offset from UTC in seconds. Places inside one that keep their own rule (most
// of Arizona) say so with a dstOffset of 0.
var zones = map[int]string{
	-12600: "America/St_Johns", -14400: "America/Halifax", -18000: "America/New_York", -21600: "America/Chicago",
	-25200: "America/Denver", -28800: "America/Los_Angeles", -32400: "America/Anchorage",
}

// zone names the zone of LocalTimeParameters: with summer time one of North
// America, without it a fixed offset. The rules are packed numbers whose first
// digit is the month; only March to November is a rule of North America.
func (c *catalog) zone(r *resource) (string, error) {
	text, refuse := c.code(r, "tzOffset")
	offset, err := strconv.Atoi(text)
	if err != nil || offset%60 != 0 || offset < -14*3600 || offset > 14*3600 {
		return "", refuse("seconds from UTC to local standard time")
	}
	dst, refuseDST := c.code(r, "dstOffset")
	switch dst {
	case "", "0":
		sign := '+'
		if offset < 0 {
			sign, offset = '-', -offset
		}
		return fmt.Sprintf("%c%02d:%02d", sign, offset/3600, offset/60%60), nil
	case "3600":
	default:
		return "", refuseDST("0 or 3600 seconds")
	}
	zone, ok := zones[offset]
	if !ok {
		return "", refuse("one of North America beside a dstOffset of 3600: -12600, -14400, -18000, -21600, -25200, -28800 or -32400")
	}
	for rule, month := range map[string]string{"dstStartRule": "3", "dstEndRule": "B"} {
		if text, refuse := c.code(r, rule); text != "" && !strings.HasPrefix(strings.ToUpper(text), month) {
			return "", refuse("a rule of North America, from March to November")
		}
	}
	return zone, nil
}
