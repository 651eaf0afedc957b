package timeform

// readEast reads what Korean, Japanese and Chinese programs print: 2026년 3월 2일 09:15:27,
// 2026年3月2日 9時15分27秒, 2026. 3. 2. 오전 9:15:27, 2026/3/2 下午 6:15:27.
func readEast(c *cursor) (f fields, ok bool) {
	if f.year = c.number(4, 4); f.year < 0 {
		return f, false
	}
	for _, marks := range [][]string{{"년", "월", "일"}, {"年", "月", "日"}, {".", ".", "."}, {"-", "-", " "}, {"/", "/", " "}} {
		if !c.take(marks[0]) {
			continue
		}
		c.take(" ")
		f.month = c.number(1, 2)
		if ok = c.take(marks[1]); ok {
			c.take(" ")
			f.day = c.number(1, 2)
			c.take(marks[2])
		}
		break
	}
	if !ok || f.month < 0 || f.day < 0 {
		return f, false
	}
	c.take(" ")
	late := c.oneOf("오후", "午後", "下午")
	half := late || c.oneOf("오전", "午前", "上午")
	c.take(" ")
	if f.hour = c.number(1, 2); f.hour < 0 || half && (f.hour < 1 || f.hour > 12) || !c.oneOf(":", "시", "時", "时", "点") {
		return f, false
	}
	if half {
		f.hour %= 12 // twelve is the first hour of its half
	}
	if late {
		f.hour += 12
	}
	c.take(" ")
	if f.minute = c.number(2, 2); f.minute < 0 {
		return f, false
	}
	if c.oneOf(":", "분", "分") {
		c.take(" ")
		if f.second = c.number(2, 2); f.second < 0 || !c.decimals(&f) {
			return f, false
		}
		c.oneOf("초", "秒")
	}
	return f, c.zone(&f)
}

// oneOf takes one of some literals; false if none is next.
func (c *cursor) oneOf(literals ...string) bool {
	for _, literal := range literals {
		if c.take(literal) {
			return true
		}
	}
	return false
}
