package dialect

// Fields returns what was parsed, name and value, in the order it came.
func (f *Form) Fields() [][2]string {
	var list [][2]string
	for _, p := range f.fields {
		list = append(list, [2]string{p.name, p.value})
	}
	return list
}
