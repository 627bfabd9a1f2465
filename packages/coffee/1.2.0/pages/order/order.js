const { yuan, total } = require('../../utils/price')

Page({
  data: { cart: [], total: '' },

  onShow() {
    const { cart } = getApp().globalData
    this.setData({ cart, total: yuan(total(cart)) })
  },

  pay() {
    getApp().globalData.stamps += this.data.cart.length
    wx.setStorageSync('stamps', getApp().globalData.stamps)
    getApp().globalData.cart = []
    wx.removeStorageSync('cart')
    wx.showToast({ title: 'Thank you!' })
    wx.navigateBack()
  },
})
