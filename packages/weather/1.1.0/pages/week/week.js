const { forecast } = require('../../utils/forecast')

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

Page({
  data: { days: [] },

  onShow() {
    const { city } = getApp().globalData
    const today = new Date().getDay()
    const days = DAYS.map((_, i) => forecast(city, (today + i) % 7))
    this.setData({ days: days.map(day => ({ ...day, name: DAYS[day.day] })) })
  },
})
