const { forecast } = require('../../utils/forecast')

Page({
  data: { city: '', now: {} },

  onShow() {
    const { city } = getApp().globalData
    this.setData({ city, now: forecast(city, new Date().getDay()) })
  },
})
