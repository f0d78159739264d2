package customer

// PageOf cuts a page out of a list of keys, for tests of cursors.
func PageOf(keys []string, before, after *string, first, last *int) (shown []string, start, end string, err error) {
	shown, info, err := page(keys, func(k string) string { return k }, stretch{before, after, first, last})
	if err != nil {
		return nil, "", "", err
	}
	return shown, text(info.StartCursor), text(info.EndCursor), nil
}
