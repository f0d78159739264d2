module github.com/wattgate/wattgate/test/demo

go 1.26.0
